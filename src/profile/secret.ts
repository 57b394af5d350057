/**
 * Text that must not leak by accident.
 *
 * Inline keys, tokens and passwords are part of a profile. They travel in a {@link SecretText}, which `console.log`,
 * `JSON.stringify` and template strings show only as a length; whoever needs the text asks for it by name.
 */

/** A text that shows itself only through {@link reveal}. */
export class SecretText {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** Length in UTF-16 units. */
  get length(): number {
    return this.#text.length
  }

  /** The text itself. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return `[${this.#text.length} characters]`
  }

  toJSON(): string {
    return this.toString()
  }
}

/**
 * Opening tags that lack a bracket, found by the lines that close what they meant to open (spec/profile.md, PROF-7).
 *
 * Without this each line of such a block, mostly key material, would be a finding of its own.
 */
import type { DirectiveNode, DocumentNode } from './document.ts'
import { directiveRow } from './table.ts'

/** Where lines close blocks that none opens: their indexes by name, the last one first. */
export function closingLines(nodes: readonly DocumentNode[]): ReadonlyMap<string, number[]> {
  const lines = new Map<string, number[]>()
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]
    const name = node?.type === 'directive' ? /^\s*<\/([a-z0-9-]{1,40})>/.exec(node.raw)?.[1] : undefined
    if (name === undefined) continue
    const before = lines.get(name)
    if (before === undefined) lines.set(name, [index])
    else before.push(index)
  }
  return lines
}

/** The first index behind `at`; those up to it are taken off, so that all searches together are linear. */
export function nextOf(lines: number[] | undefined, at: number): number | undefined {
  while (lines !== undefined && (lines.at(-1) ?? Infinity) <= at) lines.pop()
  return lines?.at(-1)
}

/** The name in a line that is an opening tag but for a bracket or a blank too many. PROF-7 */
export function brokenTag({ raw }: DirectiveNode): string | undefined {
  const name = raw.length < 60 ? /^\s*(?:<\s*([a-z0-9-]+)\s*>?|([a-z0-9-]+)\s*>)\s*$/.exec(raw) : null
  const found = name?.[1] ?? name?.[2]
  return found !== undefined && directiveRow(found)?.inline !== undefined ? found : undefined
}

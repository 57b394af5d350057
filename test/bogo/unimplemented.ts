/**
 * The exit code by which a shim says that a test asks for something it does not have.
 */
export const UNIMPLEMENTED = 89

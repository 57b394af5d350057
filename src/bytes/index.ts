/**
 * Bytes in memory: cursor, writer, text forms, constant-time comparison, queue, and the error classes.
 *
 * @module
 */
export * from './arena.ts'
export * from './bytes.ts'
export * from './errors.ts'
export * from './queue.ts'
export * from './reader.ts'
export * from './utf8.ts'
export * from './writer.ts'

/**
 * Names of compression framings: which byte layout data packets have where `comp-lzo` or `compress` is on.
 */

/**
 * `comp-lzo` is the framing of `comp-lzo yes`, `no` and `adaptive`; `stub` that of a bare `compress`; the others are named
 * as the arguments of `compress`.
 */
export type CompressionFraming = 'none' | 'comp-lzo' | 'stub' | 'stub-v2' | 'lzo' | 'lz4' | 'lz4-v2'

/**
 * Two sizes for one test: quick in the default run, large under `OVPN_SOAK`.
 *
 * `OVPN_SOAK=1` selects the soak size; any other positive number multiplies it.
 */

/** The number of cases to run: `normal`, or `soak` times the factor in `OVPN_SOAK`. */
export function scaled(normal: number, soak: number): number {
  const factor = Number(process.env['OVPN_SOAK'] ?? '0')
  return Number.isFinite(factor) && factor > 0 ? Math.max(normal, Math.round(soak * factor)) : normal
}

/** True when the soak sizes are in force. */
export function soaking(): boolean {
  return scaled(0, 1) > 0
}

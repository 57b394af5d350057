/** The clock of all benches: what the process itself spent, garbage collection and compilation included. */

/** CPU milliseconds of this process so far, or since then. */
export function cpuMs(since?: NodeJS.CpuUsage): number {
  const { system, user } = process.cpuUsage(since)
  return (user + system) / 1000
}

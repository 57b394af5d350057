/**
 * A tunnel's place in the system: the tun or tap device, and the addresses, routes and name servers that go with it.
 * Linux, through koffi (an optional peer dependency) or an inherited descriptor.
 *
 * @module
 */
export { openTun, type TunRequest } from './device.ts'
export { type NameManager, usableServer } from './dns.ts'
export { PacketLane } from './lane.ts'
export { joinOptions, localOptions } from './local-options.ts'
export { cleanLeftovers, HostNetwork, type NetworkNews, type NetworkOptions, type NetworkSettings } from './network.ts'
export {
  hostRoute,
  planNetwork,
  type Gateway,
  type NetworkPlan,
  type PlannedDevice,
  type Step,
  type Surroundings,
} from './plan.ts'
export type { CommandResult, RunCommand } from './system.ts'
export type { TunDevice } from './tun-device.ts'

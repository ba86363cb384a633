export type { ComponentPermissions, ComponentState } from '@tactus/bus'
export type { LiveStore } from '@tactus/cluster'
export { counter } from '@tactus/telemetry'
export * from './accounts/account-rules.ts'
export * from './accounts/username-rules.ts'
export { askManagers } from './ask-managers.ts'
export { busStatus, instanceDrain, instanceList, instanceUndrain } from './bus-status.ts'
export * from './caps/capability-hash.ts'
export * from './caps/verification.ts'
export * from './caps/wire.ts'
export { type CommandCaller, mayEverRun, mayRun } from './command-access.ts'
export { CommandClient, type CommandClientOptions } from './command-client.ts'
export { CommandRegistry, type CommandResult } from './command-registry.ts'
export {
  type CallerSide,
  type ClusterStatus,
  type CommandAccess,
  type CommandDefinition,
  CommandError,
  controlCommand,
  type FieldMeta,
  formOf,
  type LiveSession,
  type OnlineAccount,
  type OnlineQuery,
  type PrepareContext,
  type ReadContext,
  readCommand,
  type SessionQuery,
  writeCommand,
} from './commands.ts'
export {
  type Component,
  type ComponentDirectory,
  componentDirectory,
  covers,
  permissionsOf,
} from './components.ts'
export { type CoreLimits, type CoreMetrics, coreMetrics, defaultLimits } from './core.ts'
export type { HeldLimits } from './held.ts'
export type {
  Decisions,
  Duties,
  Facts,
  HookPoints,
  Rewrites,
  WaitingTerms,
} from './hook-points.ts'
export { type Host, type HostDirectory, hostDirectory } from './hosts.ts'
export { allLiveSessions, liveSessions, onlineAccounts } from './live-sessions.ts'
export { liveStore } from './live-store.ts'
export { mailboxIdsInFlight } from './mailbox.ts'
export {
  type Definition,
  type DiscoContribution,
  type DiscoItem,
  type DiscoNode,
  type DiscoNodeQuery,
  deferred,
  defineModule,
  type Identity,
  type IqAnswer,
  type IqRequest,
  type JobContext,
  type JobDefinition,
  type ModuleContext,
  type ModuleLog,
  type Order,
  type Specification,
  type Target,
  type XmppModule,
  xep,
} from './module.ts'
export { ModuleHost, type ModuleHostOptions } from './module-host.ts'
export type {
  ItemEvent,
  NodeConfig,
  NodeField,
  NodeItem,
  NodeKind,
  NodeProfile,
  Nodes,
  NodeType,
  PrivateFragment,
  PubsubPort,
  RetractionEvent,
} from './pubsub.ts'
export { isRefusal, SilentRefusal } from './refusal.ts'
export {
  type Affiliation,
  type Appearing,
  affiliations,
  type Joining,
  type Moderated,
  type Occupant,
  type OccupantResource,
  type Role,
  type Room,
  type RoomFeature,
  type RoomField,
  type RoomMessage,
  type RoomSettings,
  type RoomsPort,
  roles,
  type Speaking,
} from './rooms.ts'
export * from './roster/roster-access.ts'
export * from './roster/roster-edit.ts'
export * from './roster/roster-push.ts'
export * from './roster/subscription.ts'
export { isStorable } from './routing.ts'
export { s2sCommands } from './s2s-status.ts'
export type { DeliverOptions, Scope, SendOptions, Session, SessionPresence } from './scope.ts'
export type {
  Service,
  ServiceDefinition,
  ServiceStanza,
} from './services.ts'

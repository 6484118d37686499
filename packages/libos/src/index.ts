/**
 * What guests are written against.
 *
 * Everything here runs inside a guest (and on the host, for tests and traces): plain JavaScript, no
 * module state that two calls share across a trap, no effect at import.
 */
export {
  Err,
  errorName,
  type FaultAccess,
  type FaultReason,
  isMemoryFault,
  LifeState,
  lifeName,
  type Main,
  type MemoryFault,
  ObjectType,
  Right,
  type Sys,
  typeName,
} from "@capos/abi";
export { access } from "./access.js";
export type { ProgramImage } from "./assets.js";
export { type Block, type BlockOperations, BlockPool, kernelBlocks } from "./block-pool.js";
export type {
  Capability,
  CapabilityTo,
  Client,
  KernelMethod,
  MethodsOf,
  Replied,
} from "./capability.js";
export { Console, type ConsoleClient, consoleClient } from "./console.js";
export { CSpace } from "./cspace.js";
export { describe } from "./describe.js";
export { Echo } from "./echo.js";
export {
  type AssetSlots,
  argumentsText,
  ENVIRONMENT_VERSION,
  type Environment,
  type EnvironmentHandles,
  type EnvironmentSource,
  encodeEnvironment,
  environment,
  fitsStartWords,
} from "./environment.js";
export {
  bool,
  bytes,
  bytesUpTo,
  capability,
  type Field,
  f64,
  type GivenCapability,
  i32,
  list,
  type Own,
  own,
  type Transfer,
  text,
  textUpTo,
  u8,
  u16,
  u32,
  u53,
} from "./fields.js";
export type { Carried, Held, Kind, Sealed } from "./held.js";
export { IpcError } from "./ipc-error.js";
export {
  addressSpace,
  type CoreCounters,
  cnode,
  debug,
  type FrameInfo,
  frame,
  type HistoryEvent,
  imageControl,
  irq,
  MAX_START_WORDS,
  type Machine,
  type MonitorStatus,
  monitor,
  type PageInfo,
  type PageSample,
  type ProcessStatus,
  pageTable,
  port,
  process,
  type SlotInfo,
  type ThreadStatus,
  thread,
  type UntypedInfo,
  untyped,
} from "./kernel-calls.js";
export {
  AddressSpace,
  CNode,
  Endpoint,
  Frame,
  Image,
  Monitor,
  Notification,
  PageTable,
  Process,
  Reply,
  Sealer,
  Thread,
  Untyped,
} from "./kernel-objects.js";
export { Log, type LogClient, LogLevel, levelName, logClient } from "./log.js";
export { AddressRanges } from "./memory/address-ranges.js";
export {
  ByteReceiver,
  ByteSender,
  byteChannel,
  type ChannelHandles,
  type ChannelKind,
  type ChannelPeer,
  channel,
  Inlet,
  type MadeChannel,
  Outlet,
  Receiver,
  Sender,
} from "./memory/channel.js";
export { Condition, LOCK_BYTES, Lock, Semaphore } from "./memory/locks.js";
export {
  type MapOptions,
  type MappableFrame,
  Memory,
  type OwnFrame,
  type OwnRegion,
  type PageRight,
  type Region,
} from "./memory/memory.js";
export { MAX_MEMBERS, PARTY_BYTES, Party } from "./memory/party.js";
export { Pool } from "./memory/pool.js";
export { ChannelError, type ChannelTrouble, Ring, type RingPlace, ringBytes, Signal } from "./memory/ring.js";
export {
  type ArrayView,
  array,
  type Located,
  type Placed,
  type Struct,
  type StructField,
  type StructShape,
  type StructValue,
  type StructView,
  struct,
  type ValueOf,
  type ViewOf,
} from "./memory/struct.js";
export type { Given, Received, Shape } from "./message.js";
export type { MethodEntry, MethodShape, Methods } from "./method.js";
export { Names, type NamesClient, namesClient } from "./names.js";
export { blockBitsFor, type Want } from "./object-size.js";
export { Objects, type ObjectsOptions } from "./objects.js";
export { OwnMemory } from "./own-memory.js";
export {
  type Decoded,
  decode,
  type Protocol,
  protocol,
  replyLimit,
  requestLimit,
  type WireProtocol,
} from "./protocol.js";
export type { CarryRight, KernelRight, ObjectRight, RightName } from "./rights.js";
export {
  DEFERRED,
  type Deferred,
  type Handlers,
  type NotificationContext,
  type ObjectContext,
  type ObjectTable,
  type RequestContext,
  type SavedReply,
  type ServeOptions,
} from "./server.js";
export { Slots } from "./slots.js";
export {
  endProcess,
  endThread,
  type Placement,
  type ProcessOptions,
  type SpawnedProcess,
  type SpawnedThread,
  spawnProcess,
  spawnThread,
  type ThreadOptions,
  waitForProcess,
} from "./spawn.js";
export { type Os, start } from "./start.js";
export {
  type EnvironmentGifts,
  Filling,
  fillEnvironment,
  type Gift,
  type ProcessParts,
  type ProcessStart,
  startProcess,
} from "./start-process.js";
export type { MaybeSteps, Steps } from "./steps.js";
export {
  type ChildDescription,
  type Restart,
  reportText,
  type Strategy,
  Supervisor,
  type SupervisorEnd,
  type SupervisorOptions,
  type SupervisorReport,
} from "./supervisor.js";
export { splitText, utf8Length } from "./text.js";

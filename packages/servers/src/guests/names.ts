/**
 * The names server: which name stands for which capability.
 *
 * A name belongs to the process that registered it and goes when that process ends: before each
 * request it has heard of every process that ended earlier. It goes earlier if its endpoint does, which
 * its owner can take back at any time. Services are there from the start and are nobody's to take. The
 * table is bounded, as a whole and for each process; so is who waits for a name that is not there yet. Both die with this
 * process: started again, it knows the services and nothing that others had registered, and who waited is told; what
 * anybody has looked up stays theirs.
 */
import { Err, handleIndex, SlotState, type Sys } from "@capos/abi";
import { cnode, DEFERRED, IpcError, Names, type SavedReply, type Steps, thread } from "@capos/libos";
import { endedOf } from "./registry.js";
import { given } from "./service/given.js";
import { ServiceSignal } from "./system.js";

/** Names in all, and of one process. `NO_RESOURCE` beyond. */
const MAX_NAMES = 160;
const MAX_NAMES_OF_PROCESS = 32;

/** Who waits for names, in all and of one process. `BUSY` beyond. */
const MAX_WAITERS = 64;
const MAX_WAITERS_OF_PROCESS = 8;

/** Owner of the services' own names. */
const NOBODY = 0;

interface Entry {
  readonly name: string;
  readonly endpoint: number;
  /** The badge of the process that registered it. */
  readonly owner: number;
}

interface Waiter {
  readonly name: string;
  readonly badge: number;
  readonly reply: SavedReply<{ readonly endpoint: number }>;
}

export default function* main(sys: Sys): Generator<number, number, number> {
  const { endpoint, notification, registry, directory, slots, thread: self } = given(sys, "names");
  let entries: Entry[] = directory.map((one) => ({ ...one, owner: NOBODY }));

  let waiters: Waiter[] = [];

  /** The entry of a name whose endpoint is still there. */
  function* find(name: string): Steps<Entry | undefined> {
    const entry = entries.find((one) => one.name === name);
    if (entry === undefined || entry.owner === NOBODY) return entry;
    const { state } = yield* cnode.inspect(sys, slots.cnode, handleIndex(entry.endpoint));
    if (state === SlotState.LIVE) return entry;
    yield* forget((one) => one === entry);
    return undefined;
  }

  function* forget(isGone: (entry: Entry) => boolean): Steps<void> {
    const gone = entries.filter(isGone);
    entries = entries.filter((entry) => !gone.includes(entry));
    for (const entry of gone) yield* slots.drop(sys, entry.endpoint);
  }

  /** Why a name cannot be registered; `Err.OK` if it can. */
  function* objection(name: string, owner: number): Steps<Err> {
    if (name === "") return Err.RANGE;
    if ((yield* find(name)) !== undefined) return Err.BUSY;
    const own = entries.filter((entry) => entry.owner === owner).length;
    return own >= MAX_NAMES_OF_PROCESS || entries.length >= MAX_NAMES ? Err.NO_RESOURCE : Err.OK;
  }

  /** Takes those waiters off the list. */
  function take(isMeant: (waiter: Waiter) => boolean): Waiter[] {
    const taken = waiters.filter(isMeant);
    waiters = waiters.filter((waiter) => !taken.includes(waiter));
    return taken;
  }

  function* answerWaiters({ name, endpoint }: Entry): Steps<void> {
    for (const { reply } of take((waiter) => waiter.name === name)) {
      try {
        yield* reply.answer({ endpoint });
      } catch (error) {
        // It has ended meanwhile.
        if (!(error instanceof IpcError)) throw error;
      }
    }
  }

  function* forgetEnded(): Steps<void> {
    const owners = entries.map((entry) => entry.owner).filter((owner) => owner !== NOBODY);
    const ended = yield* endedOf(sys, registry, [...owners, ...waiters.map(({ badge }) => badge)]);
    yield* forget((entry) => ended.has(entry.owner));
    for (const { reply } of take(({ badge }) => ended.has(badge))) yield* reply.refuse(Err.PEER_DIED);
  }

  yield* thread.bind(sys, self, notification);
  yield* Names.serve(
    sys,
    endpoint,
    {
      *register({ name, endpoint: registered }, { badge }) {
        const error = yield* objection(name, badge);
        if (error !== Err.OK) {
          yield* slots.drop(sys, registered);
          throw new IpcError(error, "register");
        }
        const entry = { name, endpoint: registered, owner: badge };
        entries.push(entry);
        yield* answerWaiters(entry);
        return {};
      },
      *lookup({ name }) {
        const entry = yield* find(name);
        if (entry === undefined) throw new IpcError(Err.NOT_FOUND, "lookup");
        return { endpoint: entry.endpoint };
      },
      *wait({ name }, context) {
        const entry = yield* find(name);
        if (entry !== undefined) return { endpoint: entry.endpoint };
        const { badge } = context;
        const own = waiters.filter((waiter) => waiter.badge === badge).length;
        if (own >= MAX_WAITERS_OF_PROCESS || waiters.length >= MAX_WAITERS)
          throw new IpcError(Err.BUSY, "wait");
        waiters.push({ name, badge, reply: yield* context.defer() });
        return DEFERRED;
      },
      list({ index }) {
        const entry = entries[index];
        if (entry === undefined) throw new IpcError(Err.NOT_FOUND, "list");
        return { name: entry.name };
      },
    },
    {
      slots,
      *onNotification(bits) {
        if ((bits & ServiceSignal.ENDED) !== 0) yield* forgetEnded();
      },
    },
  );
  return 0;
}

/**
 * The names server: which name stands for which capability.
 *
 * A name belongs to the process that registered it and goes when that process ends: before each
 * request it has heard of every process that ended earlier. It goes earlier if its endpoint does, which
 * its owner can take back at any time. Services are there from the start and are nobody's to take. The
 * table is bounded, as a whole and for each process. It dies with this process: started again, it knows
 * the services and nothing that others had registered; what anybody has looked up stays theirs.
 */
import { Err, handleIndex, SlotState, type Sys } from "@capos/abi";
import { cnode, DEFERRED, IpcError, Names, type SavedReply, type Steps, thread } from "@capos/libos";
import { endedOf } from "./registry.js";
import { given } from "./service/given.js";
import { ServiceSignal } from "./system.js";

/** Names in all, and of one process. `NO_RESOURCE` beyond. */
const MAX_NAMES = 160;
const MAX_NAMES_OF_PROCESS = 32;

/** Who waits for a name, in all and of one process. `NO_RESOURCE` beyond. */
const MAX_WAITING = 48;
const MAX_WAITING_OF_PROCESS = 16;

/** Owner of the services' own names. */
const NOBODY = 0;

interface Entry {
  readonly name: string;
  readonly endpoint: number;
  /** The badge of the process that registered it. */
  readonly owner: number;
}

/** A caller that is answered when its name is registered. */
interface Waiting {
  readonly name: string;
  readonly badge: number;
  readonly reply: SavedReply<{ readonly endpoint: number }>;
}

export default function* main(sys: Sys): Generator<number, number, number> {
  const { endpoint, notification, registry, directory, slots, thread: self } = given(sys, "names");
  let entries: Entry[] = directory.map((one) => ({ ...one, owner: NOBODY }));
  let waiting: Waiting[] = [];

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

  function* forgetEnded(): Steps<void> {
    const owners = entries.map((entry) => entry.owner).filter((owner) => owner !== NOBODY);
    const ended = yield* endedOf(sys, registry, slots, [...owners, ...waiting.map(({ badge }) => badge)]);
    yield* forget((entry) => ended.has(entry.owner));
    yield* settle(
      (one) => ended.has(one.badge),
      ({ reply }) => reply.refuse(Err.PEER_DIED),
    );
  }

  /** Ends the wait of some by an answer; one that is not there any more takes none. */
  function* settle(isOver: (one: Waiting) => boolean, answer: (one: Waiting) => Steps<void>): Steps<void> {
    const over = waiting.filter(isOver);
    waiting = waiting.filter((one) => !over.includes(one));
    for (const one of over) {
      try {
        yield* answer(one);
      } catch (error) {
        if (!(error instanceof IpcError)) throw error;
      }
    }
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
        entries.push({ name, endpoint: registered, owner: badge });
        yield* settle(
          (one) => one.name === name,
          ({ reply }) => reply.answer({ endpoint: registered }),
        );
        return {};
      },
      *lookup({ name }) {
        const entry = yield* find(name);
        if (entry === undefined) throw new IpcError(Err.NOT_FOUND, "lookup");
        return { endpoint: entry.endpoint };
      },
      list({ index }) {
        const entry = entries[index];
        if (entry === undefined) throw new IpcError(Err.NOT_FOUND, "list");
        return { name: entry.name };
      },
      *await({ name }, context) {
        const entry = yield* find(name);
        if (entry !== undefined) return { endpoint: entry.endpoint };
        const { badge } = context;
        const own = waiting.filter((one) => one.badge === badge).length;
        if (waiting.length >= MAX_WAITING || own >= MAX_WAITING_OF_PROCESS)
          throw new IpcError(Err.NO_RESOURCE, "await");
        waiting.push({ name, badge, reply: yield* context.defer() });
        return DEFERRED;
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

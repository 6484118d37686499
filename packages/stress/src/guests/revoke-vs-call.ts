/**
 * Clients call a server through badged copies of copies of a capability, on all cores, while it is revoked.
 *
 * After the revoke every client goes on for a few calls, and the leader tries all the handles itself. The server notes
 * through which badge each message came.
 */
import { ObjectType, Right } from "@capos/abi";
import type { Steps } from "@capos/libos";
import {
  type Crew,
  IDS_PER_PLAYER,
  keep,
  order,
  type Player,
  planPace,
  race,
  reports,
  type Scenario,
} from "./crew.js";
import { ask, clock, copy, record, remove, revoke, think } from "./hand.js";
import { Id, Kind } from "./vocabulary.js";

const CLIENT = 1;
const SERVER = 2;
/** A serial number that sends the server home. */
const LAST = -1;
const MOST_CALLS = 300;
const CALLS_AFTERWARDS = 3;

export const revokeVsCall: Scenario = {
  players: (cores) => Math.max(2, Math.min(5, cores)),

  *round(crew: Crew): Steps<void> {
    const { hand, slots, members } = crew;
    const { random } = hand;
    const endpoint = yield* keep(crew, "endpoint", ObjectType.ENDPOINT);
    yield* planPace(crew, 1, members.length - 1, MOST_CALLS / 4);
    yield* order(crew, 0, SERVER, 0, endpoint);
    const badge = 1 + random.below(0xffff_fffe);
    const root = yield* copy(hand, slots, endpoint, Id.ROUND, Id.ROOT, Right.ALL, badge);
    // Each client has a copy of the root or of another's: chains of any depth.
    const made = [{ handle: root, id: Id.ROOT as number }];
    for (let client = 1; client < members.length; client++) {
      const source = random.pick(made);
      const id = hand.newId();
      const handle = yield* copy(hand, slots + client, source.handle, source.id, id);
      made.push({ handle, id });
      yield* order(crew, client, CLIENT, client * IDS_PER_PLAYER, handle, id, badge);
    }
    yield* race(crew);
    yield* revoke(hand, root, Id.ROOT);
    for (const { handle, id } of made.slice(1)) yield* ask(hand, handle, id, hand.newId());
    yield* reports(crew, members.length - 1);
    // Through the capability itself nothing has changed.
    yield* ask(hand, root, Id.ROOT, hand.newId());
    crew.os.sys.words[1] = LAST;
    yield crew.os.sys.call(endpoint, 2);
    yield* reports(crew, 1);
    yield* remove(hand, slots, Id.ROOT);
  },

  *play(player: Player, role: number, numbers: readonly number[]): Steps<void> {
    if (role === SERVER) yield* serve(player, numbers[0]);
    else yield* call(player, numbers[0], numbers[1]);
  },
};

/** Answers each call with the badge it came through, until it is told to stop. */
export function* serve({ hand, os }: Player, endpoint: number): Steps<void> {
  const { sys } = os;
  for (;;) {
    const start = yield* clock(hand);
    const answer = yield sys.recv(endpoint);
    if (answer < 0) throw new Error(`the server's own endpoint answers ${answer}`);
    // A badge without descendants is somebody else's business.
    if (sys.noSenders()) continue;
    const object = sys.words[0];
    const serial = sys.words[1];
    const badge = sys.badge();
    if (serial === LAST) {
      yield sys.reply(0);
      return;
    }
    yield* record(hand, start, Kind.DELIVER, object - hand.base, serial, answer, badge);
    sys.words[0] = badge;
    yield sys.reply(1);
  }
}

function* call(player: Player, handle: number, id: number): Steps<void> {
  const { hand, slots } = player;
  const { random } = hand;
  let after = CALLS_AFTERWARDS;
  let own = handle;
  let ownId = id;
  for (let i = 0; i < MOST_CALLS && after > 0; i++) {
    if ((yield* ask(hand, own, ownId, hand.newId())) < 0) after--;
    else if (i < 8 && random.chance(30)) {
      // Deeper: from now on through a copy of its own.
      const copied = hand.newId();
      const deeper = yield* copy(hand, slots + i, own, ownId, copied);
      if (deeper !== 0) {
        own = deeper;
        ownId = copied;
      }
    }
    yield* think(hand, 4);
  }
}

/**
 * Histories with one violation planted in each: what the judge must see. Each is made from a history that
 * is as it should be, which the judge must not mind.
 */
import { Err } from "@capos/abi";
import {
  describeViolation,
  type JudgeOptions,
  judgeRound,
  Kind,
  Rounds,
  type StressEvent,
} from "@capos/stress";
import t from "tap";

const ROOT = 1;
const CHILD = 2;
const GRANDCHILD = 3;

/** An event from `start` to `end`, in microseconds, on a core of its own. */
function event(
  kind: Kind,
  id: number,
  start: number,
  end: number,
  rest: Partial<StressEvent> = {},
): StressEvent {
  const times = { start: start * 1000, end: end * 1000 };
  return { kind, id, ...times, core: id, thread: 10 + id, round: 1, a: 0, b: 0, c: 0, ...rest };
}

const make = (id: number, from: number, start: number, end: number, badge = 0, b: number = Err.OK) =>
  event(Kind.MAKE, id, start, end, { a: from, b, c: badge });
const use = (id: number, start: number, end: number, b: number = Err.OK) =>
  event(Kind.USE, id, start, end, { b });
const revoke = (id: number, start: number, end: number, b: number = Err.OK) =>
  event(Kind.REVOKE, id, start, end, { b });
const remove = (id: number, start: number, end: number) => event(Kind.DELETE, id, start, end);
const send = (kind: Kind, id: number, serial: number, arrivesAs: number, start: number, end: number) =>
  event(kind, id, start, end, { a: serial, c: arrivesAs });
const arrive = (id: number, serial: number, arrived: number, start: number, end: number) =>
  event(Kind.ARRIVE, id, start, end, { a: serial, c: arrived });
const message = (id: number, serial: number, start: number, end: number, b: number = Err.OK, badge = 0) =>
  event(Kind.USE, id, start, end, { a: serial, b, c: badge });
const deliver = (id: number, serial: number, badge: number, start: number, end: number) =>
  event(Kind.DELIVER, id, start, end, { a: serial, c: badge });

const family = [make(ROOT, 0, 0, 1), make(CHILD, ROOT, 2, 3), make(GRANDCHILD, CHILD, 4, 5)];

const AUTHORITY = "no operation through a capability after its revoke, none refused before";

/** Asserts which rules a history breaks. */
function judged(
  name: string,
  events: readonly StressEvent[],
  rules: readonly string[],
  options: JudgeOptions = {},
): void {
  t.test(name, async (t) => {
    const findings = judgeRound(events, options);
    t.same(
      findings.map(({ rule }) => rule),
      rules,
    );
  });
}

t.test("the excerpt of a use after the revoke is the making, the revoke and the use", async (t) => {
  const events = [
    ...family,
    use(CHILD, 6, 7),
    use(GRANDCHILD, 6, 8),
    revoke(ROOT, 10, 20),
    use(GRANDCHILD, 11, 12),
    use(CHILD, 21, 22, Err.BAD_CAP),
    use(GRANDCHILD, 21, 22),
    use(GRANDCHILD, 30, 31),
  ];
  const [finding, ...others] = judgeRound(events);
  t.same(others, []);
  t.equal(finding!.rule, AUTHORITY);
  t.same(
    finding!.excerpt.map(({ kind, id }) => [kind, id]),
    [
      [Kind.MAKE, GRANDCHILD],
      [Kind.REVOKE, ROOT],
      [Kind.USE, GRANDCHILD],
    ],
  );
  const text = describeViolation({ ...finding!, scenario: "revoke-vs-copy", seed: 7 }).join("\n");
  t.match(text, /seed 7/);
  t.match(text, /revoke root: OK/);
  t.match(text, / 17\.000 +18\.000 +3 +13 +use #3: OK/, "with times from its begin, core and thread");
});

// revoke-vs-copy, revoke-vs-revoke
judged(
  "a use that overlaps with the revoke may be served or refused",
  [...family, revoke(ROOT, 10, 20), use(CHILD, 15, 25), use(GRANDCHILD, 9, 11, Err.REVOKED)],
  [],
);
judged(
  "a use before the revoke is not refused",
  [...family, use(CHILD, 6, 7, Err.BAD_CAP), revoke(ROOT, 10, 20)],
  [AUTHORITY],
);
judged(
  "what was refused once is not served later",
  [...family, revoke(ROOT, 10, 20), use(CHILD, 11, 12, Err.BAD_CAP), use(CHILD, 13, 14)],
  [AUTHORITY],
);
judged(
  "no copy of a descendant is made after the revoke",
  [...family, revoke(ROOT, 10, 20), make(4, CHILD, 21, 22)],
  [AUTHORITY, AUTHORITY],
);
judged(
  "a copy that a descendant's copy made during the revoke does not outlive it",
  [...family, revoke(ROOT, 10, 20), make(4, GRANDCHILD, 11, 12), use(4, 21, 22)],
  [AUTHORITY],
);
judged(
  "a copy of the revoked capability itself, made during the revoke, may live on",
  [...family, revoke(ROOT, 10, 20), make(4, ROOT, 11, 12), make(5, 4, 13, 14), use(5, 21, 22)],
  [],
);
judged(
  "the revoked capability itself is intact",
  [...family, revoke(ROOT, 10, 20), use(ROOT, 21, 22, Err.BAD_CAP)],
  [AUTHORITY],
);
judged(
  "a revoke of the child leaves the root's other children alone",
  [...family, make(4, ROOT, 6, 7), revoke(CHILD, 10, 20), use(4, 21, 22, Err.BAD_CAP)],
  [AUTHORITY],
);
judged(
  "of two revokes each keeps its promise",
  [...family, revoke(ROOT, 10, 30), revoke(CHILD, 11, 15), use(GRANDCHILD, 16, 17)],
  [AUTHORITY],
);
judged(
  "a revoke says BAD_CAP only if its own capability is gone",
  [...family, revoke(CHILD, 10, 20, Err.BAD_CAP)],
  [AUTHORITY],
);
judged(
  "a revoke whose capability is revoked meanwhile may give up anywhere",
  [...family, revoke(ROOT, 10, 40), revoke(CHILD, 11, 20, Err.BAD_CAP), use(GRANDCHILD, 21, 22)],
  [],
);
judged(
  "a capability that was deleted serves nobody",
  [...family, remove(CHILD, 6, 7), use(CHILD, 8, 9)],
  [AUTHORITY],
);
judged(
  "a deletion takes no descendant along",
  [...family, remove(CHILD, 6, 7), use(GRANDCHILD, 8, 9, Err.BAD_CAP)],
  [AUTHORITY],
);
judged(
  "a deletion is no refuge from a revoke above",
  [...family, remove(CHILD, 6, 7), revoke(ROOT, 10, 20), use(GRANDCHILD, 21, 22)],
  [AUTHORITY],
);
judged(
  "a deletion that fails is reported",
  [...family, { ...remove(CHILD, 6, 7), b: Err.BUSY }],
  ["delete is answered with OK"],
);
judged(
  "a capability that answers as something else is reported",
  [...family, use(CHILD, 6, 7, Err.BAD_TYPE)],
  ["a capability answers as what it is"],
);
judged(
  "want of memory, or of room, is nobody's violation",
  [...family, make(4, CHILD, 6, 7, 0, Err.NO_MEMORY), use(CHILD, 8, 9, Err.WOULD_BLOCK)],
  [],
);

// revoke-vs-map: 4 is a mapping of the child
const mapped = [...family, make(4, CHILD, 6, 7), use(4, 8, 9)];
judged(
  "a mapping may be used until the revoke comes back, though its capability is refused",
  [...mapped, revoke(ROOT, 10, 20), use(CHILD, 11, 12, Err.BAD_CAP), use(4, 13, 14)],
  [],
);
judged(
  "a mapping that was used after the revoke came back is reported",
  [...mapped, revoke(ROOT, 10, 20), use(4, 21, 22)],
  [AUTHORITY],
);
judged(
  "a mapping that was used after its unmapping is reported",
  [...mapped, remove(4, 10, 11), use(4, 12, 13)],
  [AUTHORITY],
);
judged(
  "a mapping that was refused with nothing to end it is reported",
  [...mapped, use(4, 10, 11, Err.BAD_CAP)],
  [AUTHORITY],
);
judged(
  "a store that is found in the page after the revoke is reported",
  [...mapped, revoke(ROOT, 10, 20), event(Kind.AUDIT, ROOT, 21, 22, { a: 0, c: 4 })],
  ["what is left after a race is what should be"],
);

// revoke-vs-transfer, revoke-in-flight
const sent = (kind: Kind) => [...family, send(kind, CHILD, 100, 4, 10, 14), arrive(4, 100, 1, 6, 12)];
judged(
  "a capability arrives with its message, as a copy or in its place",
  [...sent(Kind.SEND_COPY), use(4, 15, 16), use(CHILD, 17, 18)],
  [],
);
judged(
  "a capability that was sent away is not there any more",
  [...sent(Kind.SEND_MOVE), use(4, 15, 16), use(CHILD, 17, 18)],
  [AUTHORITY],
);
judged(
  "a capability does not get lost on its way",
  [
    ...family,
    send(Kind.SEND_MOVE, CHILD, 100, 4, 10, 14),
    arrive(4, 100, 0, 6, 12),
    use(CHILD, 17, 18, Err.BAD_CAP),
    make(5, CHILD, 19, 20),
  ],
  [AUTHORITY],
);
judged(
  "a message arrives without its capability only if that was revoked",
  [...family, send(Kind.SEND_COPY, CHILD, 100, 4, 10, 14), arrive(4, 100, 0, 6, 12), use(CHILD, 20, 21)],
  [AUTHORITY],
);
judged(
  "a capability in flight when it was revoked does not arrive",
  [...family, revoke(ROOT, 10, 20), send(Kind.SEND_COPY, CHILD, 100, 4, 9, 24), arrive(4, 100, 1, 22, 30)],
  [AUTHORITY, AUTHORITY],
);
judged(
  "a capability that arrived during the revoke does not outlive it",
  [
    ...family,
    revoke(ROOT, 10, 20),
    send(Kind.SEND_COPY, CHILD, 100, 4, 9, 13),
    arrive(4, 100, 1, 5, 14),
    use(4, 21, 22),
  ],
  [AUTHORITY],
);
judged(
  "a message arrives once",
  [...sent(Kind.SEND_COPY), arrive(5, 100, 1, 13, 16)],
  ["a message arrives once"],
);
judged(
  "a message that was sent arrives",
  [...family, send(Kind.SEND_COPY, CHILD, 100, 4, 10, 14)],
  ["a message that was sent arrives"],
);
judged(
  "a message does not arrive before it is sent",
  [...family, send(Kind.SEND_COPY, CHILD, 100, 4, 10, 14), arrive(4, 100, 1, 6, 8)],
  ["a message arrives while it is being sent"],
);
judged(
  "a message is sent, whatever becomes of what it carries",
  [...family, { ...send(Kind.SEND_COPY, CHILD, 100, 4, 10, 14), b: Err.BAD_CAP }],
  ["a message is sent, whatever it carries"],
);

// revoke-vs-call, queue-cancel, slot-reuse
const BADGE = 77;
const served = [make(ROOT, 0, 0, 1, BADGE), make(CHILD, ROOT, 2, 3)];
judged(
  "a call is delivered under its badge",
  [...served, message(CHILD, 100, 10, 20, Err.OK, BADGE), deliver(CHILD, 100, BADGE, 5, 15)],
  [],
);
judged(
  "a call that was delivered before the revoke may be answered after it",
  [
    ...served,
    message(CHILD, 100, 5, 40, Err.OK, BADGE),
    deliver(CHILD, 100, BADGE, 4, 12),
    revoke(ROOT, 10, 20),
  ],
  [],
);
judged(
  "a message is not delivered after the revoke",
  [
    ...served,
    message(CHILD, 100, 5, 40, Err.OK, BADGE),
    deliver(CHILD, 100, BADGE, 25, 30),
    revoke(ROOT, 10, 20),
  ],
  [AUTHORITY],
);
judged(
  "a message whose sender is told REVOKED is not delivered",
  [
    ...served,
    message(CHILD, 100, 5, 15, Err.REVOKED),
    deliver(CHILD, 100, BADGE, 6, 12),
    revoke(ROOT, 10, 20),
  ],
  ["a message whose sender was refused does not arrive"],
);
judged(
  "a sender under another badge stays in the queue",
  [...served, make(4, 0, 4, 5, 88), revoke(ROOT, 10, 20), message(4, 101, 6, 22, Err.REVOKED)],
  [AUTHORITY],
);
judged(
  "a sender under a revoked badge is not left waiting until it is served",
  [
    ...served,
    revoke(ROOT, 10, 20),
    message(CHILD, 100, 30, 60, Err.OK, BADGE),
    deliver(CHILD, 100, BADGE, 30, 50),
  ],
  [AUTHORITY],
);
judged(
  "a message that was served arrived",
  [...served, message(CHILD, 100, 10, 20, Err.OK, BADGE)],
  ["a message that was sent arrives"],
);
judged(
  "a call to a server that ended may have been delivered or not",
  [
    ...served,
    message(CHILD, 100, 10, 20, Err.PEER_DIED),
    deliver(CHILD, 100, BADGE, 11, 12),
    message(CHILD, 101, 21, 22, Err.PEER_DIED),
  ],
  [],
);
judged(
  "a stale handle never names the slot's next tenant",
  [
    ...served,
    remove(CHILD, 4, 5),
    make(4, 0, 6, 7, 88),
    message(CHILD, 100, 10, 20, Err.OK, 88),
    deliver(CHILD, 100, 88, 11, 12),
  ],
  [AUTHORITY, "a handle names its own capability, never the slot's next tenant"],
);

// revoke-vs-retype
judged(
  "an object does not outlive the memory it was made from",
  [...family, revoke(ROOT, 10, 20), use(GRANDCHILD, 30, 31)],
  [AUTHORITY],
);
judged(
  "all memory is there again after a revoke",
  [...family, event(Kind.AUDIT, ROOT, 30, 31, { a: 4096, c: 4032 })],
  ["what is left after a race is what should be"],
);

// revoke-vs-kill, core-storm
const PROCESS = 50;
const MEMORY = 51;
const kill = event(Kind.KILL, PROCESS, 10, 20);
const act = (start: number, end: number) => event(Kind.ACT, PROCESS, start, end, { a: 1 });
judged("a thread or process may do things until its end", [act(1, 2), kill, act(12, 19)], []);
judged(
  "a thread or process does nothing after its end",
  [act(1, 2), kill, act(12, 21)],
  ["a thread or process does nothing after its end"],
);
judged(
  "an end that fails is reported",
  [{ ...kill, b: Err.BAD_CAP }],
  ["ending a thread or process is answered with OK"],
);
const made = [make(MEMORY, PROCESS, 0, 1), make(52, MEMORY, 2, 3), make(53, 52, 4, 5)];
judged(
  "what a process made from its own memory ends with it, wherever it is",
  [...made, kill, use(53, 21, 22)],
  [AUTHORITY],
);
judged(
  "what a process passed on does not end with it",
  [...family, ...made, kill, use(GRANDCHILD, 21, 22, Err.BAD_CAP)],
  [AUTHORITY],
);
judged(
  "a message outlives its sender, and says what it carried",
  [...family, arrive(60, 100, 1 + CHILD, 6, 12), kill, revoke(ROOT, 30, 40), use(60, 41, 42)],
  [AUTHORITY],
);

// delete-last-two
const BADGED = 70;
const hears = { hearsOfBadges: true };
const TOLD = "a badge is said to have no senders once, each time that comes true";
const hear = (start: number) => event(Kind.NO_SENDERS, BADGED, start, start + 1);
const over = event(Kind.ROUND_END, 0, 90, 91);
const lastTwo = [
  make(BADGED, 0, 0, 1, BADGED),
  make(71, BADGED, 2, 3),
  make(72, BADGED, 4, 5),
  remove(71, 10, 20),
  remove(72, 11, 19),
];
judged("the end of the last two is told once", [...lastTwo, hear(25), over], [], hears);
judged("the end of the last two is not told twice", [...lastTwo, hear(25), hear(30), over], [TOLD], hears);
judged("the end of the last two is told", [...lastTwo, over], [TOLD], hears);
judged("the end of the last two is not told before it has come", [...lastTwo, hear(6), over], [TOLD], hears);
judged(
  "it is told again if it comes true again",
  [...lastTwo, hear(25), make(73, BADGED, 30, 31), remove(73, 32, 33), hear(40), over],
  [],
  hears,
);

t.test("an entry that comes after its round was judged is reported", async (t) => {
  const rounds = new Rounds();
  const end = event(Kind.ROUND_END, 0, 50, 51);
  t.same(rounds.add([...family, end]).complete, [], "what other cores wrote before may still be read");
  const late = use(CHILD, 6, 7);
  t.same(rounds.add([late]), { complete: [[...family, end, late]], unusable: [] });
  t.match(rounds.add([use(CHILD, 60, 61)]), {
    complete: [],
    unusable: [{ rule: "when a round has ended, nothing of it happens any more" }],
  });
});

t.test("rounds of two guests are taken apart, and those that never ended are kept", async (t) => {
  const rounds = new Rounds();
  const other = { ...use(CHILD, 1, 2), round: 2 ** 24 + 5 };
  rounds.add([...family, other, event(Kind.ROUND_END, 0, 50, 51)]);
  t.equal(rounds.add([]).complete.length, 1);
  t.same(rounds.open(), [[other]]);
});

t.test("an entry that no guest can have made is reported, and judged no further", async (t) => {
  const rounds = new Rounds();
  const broken = [
    use(CHILD, 7, 6),
    { ...use(CHILD, 6, 7), start: Number.NaN },
    { ...use(CHILD, 6, 7), round: -1 },
    { ...use(CHILD, 6, 7), round: 0.5 },
  ];
  const { complete, unusable } = rounds.add(broken);
  t.same(complete, []);
  t.same(
    unusable.map(({ rule }) => rule),
    broken.map(() => "a history holds what guests recorded"),
  );
  t.same(rounds.open(), []);
});

t.test("a history in which makings are missing is judged all the same", async (t) => {
  t.ok(judgeRound([make(GRANDCHILD, CHILD, 4, 5), revoke(ROOT, 10, 20), use(GRANDCHILD, 21, 22)]).length > 0);
});

/**
 * The log server: records from everybody to the host, one JSON object a line.
 *
 *     {"level":30,"process":"ping","badge":256,"thread":0,"core":1,"text":"ready"}
 *
 * Who wrote a record is said by the badge it came through, which the kernel vouches for, and by init's
 * registry; the writer has no say in it. `"broken":true` marks one that was passed on before its last
 * part came. Whoever writes waits until the device has taken the record: nothing piles up here.
 */
import type { Sys } from "@capos/abi";
import { irq, Log, type Steps, thread } from "@capos/libos";
import type { LogRecord } from "./log-record.js";
import { endedOf, type Identity, identify } from "./registry.js";
import { given } from "./service/given.js";
import { type Line, LineJoiner } from "./service/line-joiner.js";
import { Output } from "./service/output.js";
import { Badge, ServiceSignal } from "./system.js";

/** Processes whose names are kept; the one asked for longest ago makes room. */
const MAX_KNOWN = 256;

export default function* main(sys: Sys): Generator<number, number, number> {
  const { endpoint, port, interrupt, notification, registry, slots, thread: self } = given(sys, "log");
  const output = new Output(sys, port, notification);
  const joiner = new LineJoiner();
  const known = new Map<number, Identity>();

  function* writer(badge: number): Steps<Identity | null> {
    const before = known.get(badge);
    if (before !== undefined) return before;
    const found = yield* identify(sys, registry, slots, badge);
    if (found === null) return null;
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value!);
    known.set(badge, found);
    return found;
  }

  function* record({ badge, thread, level, text, broken }: Line): Steps<void> {
    const who = yield* writer(badge);
    const fields: LogRecord = {
      level,
      process: who === null ? `process ${badge}` : who.name,
      badge,
      thread,
      // Whoever got here by name has no core of its own that is known.
      core: badge === Badge.ANYONE ? undefined : who?.core,
      text,
      broken: broken ? true : undefined,
    };
    yield* output.write(`${JSON.stringify(fields)}\n`);
  }

  function* attend(bits: number): Steps<void> {
    for (let now = bits; now !== 0; now = output.takeMissed()) {
      if ((now & ServiceSignal.ENDED) === 0) continue;
      const ended = yield* endedOf(sys, registry, slots, joiner.badges());
      for (const line of joiner.end(ended)) yield* record(line);
    }
  }

  yield* irq.bind(sys, interrupt, notification);
  yield* thread.bind(sys, self, notification);
  yield* Log.serve(
    sys,
    endpoint,
    {
      *write({ level, thread, more, text }, { badge }) {
        // Now, while it lives: an unfinished record may be passed on after its writer's end.
        yield* writer(badge);
        for (const line of joiner.add(badge, thread, text, more, level)) yield* record(line);
        yield* attend(output.takeMissed());
        return {};
      },
    },
    { onNotification: attend },
  );
  return 0;
}

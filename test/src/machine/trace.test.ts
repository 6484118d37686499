/** What a machine writes into its trace rings. */

import { BootInfo, traceRings } from "@capos/hal";
import { TRACE_EVENTS, TraceEvent, traceEvent } from "@capos/kernel/trace-events";
import { boot } from "@capos/machine";
import { ALL_GROUPS, TraceMerger, TraceMode, TraceRecord } from "@capos/trace";
import t from "tap";
import { ROOT } from "../support/cli-process.js";

const CLIENT_CORE = 1;
const SERVER_CORE = 0;

t.test(
  "a call to another core leaves exactly the events of its way, in their order across the cores",
  async (t) => {
    const machine = await boot({
      ...{ cores: 2, traceKiB: 4096, traceGroups: ALL_GROUPS, traceMode: TraceMode.OVERWRITE },
      logLevel: "error",
      onConsole: () => {},
      onKernel: () => {},
    });
    const run = await machine.run(`${ROOT}/test/fixtures/cli/exchange.ts`, { cores: [CLIENT_CORE] });
    t.equal(run.status, 0, run.fault);
    await machine.halt();
    const { memory } = machine;

    const all: TraceRecord[] = [];
    const merger = new TraceMerger(memory, traceRings(memory), TRACE_EVENTS, {
      event(record) {
        const copy = new TraceRecord();
        copy.copyFrom(record);
        all.push(copy);
      },
      lost: () => t.fail("nothing is lost"),
    });
    merger.read(true);
    merger.end();
    merger.give(Number.POSITIVE_INFINITY);
    t.equal(memory.i32[BootInfo.TRACE_MODE], TraceMode.OVERWRITE);
    t.ok(all.every(({ timeNs }, i) => i === 0 || timeNs >= all[i - 1].timeNs));

    const born = all.filter(({ event }) => event === TraceEvent.PROCESS_BIRTH);
    const guest = born.find(({ text }) => text === "exchange.ts")!;
    t.ok(guest, "the guest's birth is told with its name");
    const birth = all.find(
      ({ event, fields }) => event === TraceEvent.THREAD_BIRTH && fields[1] === guest.fields[0],
    )!;
    const thread = birth.fields[0];
    const sends = all.filter(({ event, fields }) => event === TraceEvent.SEND && fields[1] === thread);
    t.equal(sends.length, 3, "three calls");

    const last = sends[2];
    const id = last.fields[0];
    const from = all.indexOf(last);
    const way = all.slice(from).filter(({ event, fields }) => {
      if (event === TraceEvent.RING_PUSH || event === TraceEvent.RING_POP) return fields[2] === thread;
      // It is queued, or not, by who was first: the call, or the server that comes back to wait.
      if (event === TraceEvent.SIGNAL || event === TraceEvent.QUEUE) return false;
      return event >> 3 === 3 && fields[0] === id;
    });
    const until = way.findIndex(({ event }) => event === TraceEvent.ANSWERED);
    t.same(
      way.slice(0, until + 1).map(({ ring, event }) => [ring, traceEvent(event)!.name]),
      [
        [CLIENT_CORE, "message.send"],
        [CLIENT_CORE, "ring.push"],
        [SERVER_CORE, "ring.pop"],
        [SERVER_CORE, "message.deliver"],
        [SERVER_CORE, "message.reply"],
        [SERVER_CORE, "ring.push"],
        [CLIENT_CORE, "ring.pop"],
        [CLIENT_CORE, "message.answered"],
      ],
    );
    t.equal(way[0].fields[5], SERVER_CORE, "sent to the home of its endpoint");
    t.equal(way[4].fields[4], CLIENT_CORE, "answered to the home of its caller");
    const words = all.filter(
      ({ event, fields, ring }) => event === TraceEvent.WORDS && fields[0] === id && ring === SERVER_CORE,
    );
    t.equal(words.length, 2 + 1, "five words of the request, one of the reply");

    const own = all.filter(
      ({ ring, fields, event }) => ring === CLIENT_CORE && event >> 3 === 1 && fields[0] === thread,
    );
    t.ok(own.length > 0);
    t.ok(
      own.every(({ event }, i) => i === 0 || event !== own[i - 1].event || event === TraceEvent.TRAP_ENTER),
      "a trap is entered before it is left",
    );
  },
);

/** A supervisor: a server that dies is started again, and what its client holds stays good. */
import { Endpoint, type Os, protocol, Supervisor, type Sys, start, u32 } from "capos/guest";

const Division = protocol("division", {
  divide: { request: { a: u32, b: u32 }, reply: { quotient: u32 } },
  close: { request: {}, reply: {} },
});

function* server(os: Os) {
  yield* Division.serve(os.sys, os.handed[0]!, {
    divide({ a, b }) {
      // No `IpcError`, so it is no answer but the end of this process.
      if (b === 0) throw new Error("division by zero");
      return { quotient: Math.floor(a / b) };
    },
    close: (_, context) => context.end(),
  });
}

function* client(os: Os) {
  const division = Division.client(os.sys, os.handed[0]!);
  for (const b of [3, 0, 2]) {
    try {
      yield* os.print(`6 / ${b} = ${(yield* division.divide({ a: 6, b })).quotient}`);
    } catch (error) {
      yield* os.print(`6 / ${b}: ${error}`);
    }
  }
  yield* division.close();
}

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.name === "server") return yield* server(os);
  if (os.name === "client") return yield* client(os);

  // It is the supervisor's, so it outlives the server.
  const endpoint = yield* os.cspace.make(Endpoint);
  const reports: string[] = [];
  const supervisor = yield* Supervisor.start(
    os,
    [
      { name: "server", gifts: [endpoint], restart: "transient" },
      { name: "client", gifts: [yield* os.cspace.offer(Division, endpoint, 1)], restart: "temporary" },
    ],
    {
      backOff: { firstMs: 0, mostMs: 0 },
      report(report) {
        if (report.event === "ended" && report.state === "faulted") reports.push(`server: ${report.fault}`);
        if (report.event === "started" && report.isRestart) reports.push("server: started again");
      },
    },
  );
  const end = yield* supervisor.run();
  for (const line of [...reports, end]) yield* os.print(line);
  return 0;
}

/**
 * A booted process on the fake kernel: memory, a console, a log, a names server, and a guest.
 */
import { Err, type Sys } from "@capos/abi";
import {
  Console,
  type EnvironmentSource,
  encodeEnvironment,
  IpcError,
  Log,
  Names,
  Slots,
  type Steps,
} from "@capos/libos";
import { type CSpace, Endpoint, type FakeThread, Image, World } from "./fake.js";

export const bare: EnvironmentSource = {
  cnode: 1,
  process: 2,
  thread: 3,
  names: 4,
  log: 5,
  console: 6,
  debug: 7,
  untyped: 8,
  image: 9,
  firstFreeSlot: 10,
  freeSlotCount: 11,
  threadIndex: 12,
  core: 13,
  cores: 14,
  assets: { first: 0, count: 0, brought: 0 },
  name: "guest",
  args: [],
  handed: [],
};

/** A world with one process: memory, a console, a log and a names server, and `main` as its image. */
export function boot(
  main: (sys: Sys) => Generator<number, unknown, number>,
  options: { memory?: number; args?: string[]; console?: boolean } = {},
) {
  const world = new World();
  const endpoints = { names: new Endpoint(), log: new Endpoint(), console: new Endpoint() };
  const heard = {
    console: [] as string[],
    log: [] as { level: number; thread: number; more: boolean; text: string }[],
    messages: 0,
  };

  const serve = (endpoint: Endpoint, body: (sys: Sys, handle: number, slots: Slots) => Steps<void>) => {
    const cspace: CSpace = new Map();
    const server: FakeThread = world.thread((sys) => body(sys, handle, new Slots(node, 10, 8)), cspace);
    const handle: number = server.put(1, endpoint);
    const node: number = server.put(2, world.cnode(cspace));
  };

  let line = "";
  const input = ["typed ", "by hand\n", "last"];
  serve(endpoints.console, (sys, handle) =>
    Console.serve(sys, handle, {
      write: ({ more, text }) => {
        heard.messages++;
        line += text;
        if (more) return;
        heard.console.push(line);
        line = "";
      },
      read: () => {
        const part = input.shift();
        return {
          more: part !== undefined && !part.endsWith("\n"),
          end: part === undefined,
          text: part?.replace("\n", "") ?? "",
        };
      },
    }),
  );
  serve(endpoints.log, (sys, handle) =>
    Log.serve(sys, handle, { write: (record) => void heard.log.push(record) }),
  );
  const registered = new Map<string, number>();
  serve(endpoints.names, (sys, handle, slots) =>
    Names.serve(
      sys,
      handle,
      {
        register: ({ name, endpoint }) => {
          if (registered.has(name)) throw new IpcError(Err.BUSY, "register");
          registered.set(name, endpoint);
        },
        lookup: ({ name }) => {
          const endpoint = registered.get(name);
          if (endpoint === undefined) throw new IpcError(Err.NOT_FOUND, "lookup");
          return { endpoint };
        },
        await: ({ name }) => {
          const endpoint = registered.get(name);
          if (endpoint === undefined) throw new IpcError(Err.NOT_FOUND, "await");
          return { endpoint };
        },
        list: ({ index }) => {
          const name = [...registered.keys()][index];
          if (name === undefined) throw new IpcError(Err.NOT_FOUND, "list");
          return { name };
        },
      },
      { slots },
    ),
  );
  world.run();

  const cspace: CSpace = new Map();
  const first = world.thread(main, cspace);
  const words = encodeEnvironment({
    ...bare,
    cnode: first.put(1, world.cnode(cspace)),
    process: first.put(2, world.process(cspace, main)),
    thread: first.put(3, world.threadObject()),
    names: first.put(4, endpoints.names),
    log: first.put(5, endpoints.log),
    console: options.console === false ? 0 : first.put(6, endpoints.console),
    debug: 0,
    untyped: first.put(8, world.untyped(options.memory ?? 20)),
    image: first.put(7, new Image(main)),
    firstFreeSlot: 9,
    freeSlotCount: 40,
    threadIndex: 0,
    core: 0,
    cores: 2,
    args: options.args ?? [],
  });
  first.begin(words);
  return { world, first, heard };
}

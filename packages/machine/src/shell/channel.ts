/** A shell over a socket: calls both ways, each a line of JSON. */
import type { Socket } from "node:net";
import type { Values } from "@capos/libos/wire";
import { type BirpcReturn, createBirpc } from "birpc";
import { LineSplitter } from "../lines.js";
import type { Settled } from "../own-process/protocol.js";
import type { ShellEnd, ShellOptions, ShellStart, ShellView } from "./types.js";

/** What the machine's process does. */
export interface ShellSide {
  open(options: ShellOptions): Promise<Settled<void>>;
  names(): Promise<Settled<readonly string[]>>;
  /** @param ask a number by which `cancel` knows it */
  describe(ask: number, name: string): Promise<Settled<string>>;
  call(ask: number, name: string, method: string, values: Values): Promise<Settled<Values>>;
  cancel(ask: number): void;
  start(start: ShellStart): Promise<Settled<number>>;
  end(pid: number): Promise<Settled<void>>;
  wait(pid: number): Promise<Settled<ShellEnd>>;
  look(): Promise<Settled<ShellView>>;
  watchLog(on: boolean): Promise<Settled<void>>;
}

/** What the terminal's process does. */
export interface TerminalSide {
  /** Answers when the line is taken. */
  console(line: string): Promise<void>;
  log(line: string): void;
  ended(end: ShellEnd): void;
  /** The shell has ended; nothing comes after it. */
  lost(why: string): void;
}

/** Speaks on a socket from now on. What is said on it that is no such line ends it. */
export function openChannel<Remote extends object, Local extends object>(
  socket: Socket,
  functions: Local,
): { readonly remote: BirpcReturn<Remote, Local>; push(bytes: Uint8Array): void } {
  let take: (line: string) => void = () => {};
  const lines = new LineSplitter((line) => take(line));
  const remote = createBirpc<Remote, Local>(functions, {
    post: (line: string) => {
      if (socket.writable) socket.write(line);
    },
    on: (listener) => {
      take = (line) => {
        try {
          listener(line);
        } catch {
          socket.destroy();
        }
      };
    },
    serialize: (message) => `${JSON.stringify(message)}\n`,
    deserialize: (line: string) => JSON.parse(line),
    onGeneralError: () => {
      socket.destroy();
      return true;
    },
    timeout: -1,
  });
  socket.on("close", () => remote.$close());
  return { remote, push: (bytes) => lines.push(bytes) };
}

/**
 * The door of a running machine: a local socket at which its state can be asked for.
 *
 * It holds nothing up: neither listening nor a client that says nothing keeps the process alive, and
 * what is asked for is read by the machine's management worker.
 */
import { renameSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import type { MachineState } from "@capos/inspect";
import { type OpenShell, serveShell } from "../shell/serve.js";
import {
  folderPath,
  listMachines,
  makeFolder,
  newName,
  ON_WINDOWS,
  removeFile,
  SocketRoute,
} from "./folder.js";

/**
 * What a client writes, with a line end after it: for all of the machine's state, for what tells it from others, or for a
 * shell, which is answered with the same line and then speaks as `shell/channel.ts` says.
 */
export const enum Request {
  STATE = "inspect",
  LABEL = "label",
  SHELL = "shell",
}
/** A client that has said so much and no line end has mistaken the door. */
const MAX_REQUEST = 64;
const LF = 10;

/** What is answered: one JSON document, then the end. */
export type Answer =
  | { readonly state: MachineState }
  | { readonly label: MachineLabel }
  | { readonly error: string };

/** What tells a machine from others for a person. */
export interface MachineLabel {
  /** A program and its arguments. */
  readonly command: readonly string[];
  readonly cores: number;
  readonly memoryMiB: number;
  /** When it was booted, in milliseconds since 1970. */
  readonly bootedMs: number;
}

/** What a machine does for those at its door. */
export interface DoorHost {
  inspect(): Promise<MachineState>;
  readonly label: MachineLabel;
  /** Null if it takes no shells. */
  readonly openShell: OpenShell | null;
}

/** An open door. */
export interface Door {
  /** Takes the file away and listens no more. Closing twice is fine. */
  close(): void;
}

/** The door that this process has. */
let current: Door | null = null;

/**
 * Opens this process's door. One machine of a process at a time can have it.
 * @throws Error if another has it; FolderError; the system's error if it cannot listen.
 */
export async function openDoor(host: DoorHost): Promise<Door> {
  if (current !== null) throw new Error("another machine of this process has the door");
  const name = newName();
  const server = createServer((socket) => serve(socket, host));
  const door: Door = {
    close() {
      if (current !== door) return;
      current = null;
      process.off("exit", door.close);
      server.close();
      removeFile(name);
    },
  };
  current = door;
  try {
    makeFolder();
    // Takes away what processes left behind that could not do so themselves.
    await listMachines();
    await listen(server, name);
  } catch (error) {
    current = null;
    server.close();
    throw error;
  }
  process.on("exit", door.close);
  return door;
}

/** Listens, and only then has the name: see folder.ts. */
async function listen(server: Server, name: string): Promise<void> {
  const route = new SocketRoute();
  const hidden = `.${name}`;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(route.to(ON_WINDOWS ? name : hidden), () => {
        server.off("error", reject);
        // A connection that cannot be taken is its client's trouble.
        server.on("error", () => {});
        resolve();
      });
      server.unref();
    });
  } finally {
    route.close();
  }
  const file = join(folderPath(), name);
  if (ON_WINDOWS) writeFileSync(file, "");
  else renameSync(join(folderPath(), hidden), file);
}

/** Answers one request, whatever becomes of the client. */
function serve(socket: Socket, { inspect, label, openShell }: DoorHost): void {
  let said = Buffer.alloc(0);
  socket.unref();
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes: Buffer) => {
    said = Buffer.concat([said, bytes]);
    const end = said.indexOf(LF);
    if (end < 0 && said.length <= MAX_REQUEST) return;
    socket.removeAllListeners("data");
    const request = said.subarray(0, Math.max(end, 0)).toString();
    if (request === Request.SHELL && openShell !== null) {
      socket.write(`${Request.SHELL}\n`);
      serveShell(socket, said.subarray(end + 1), openShell);
      return;
    }
    socket.resume();
    const answer = (what: Answer) => socket.end(JSON.stringify(what));
    if (request === Request.LABEL) answer({ label });
    else if (request === Request.SHELL) answer({ error: "it was not booted to take one" });
    else if (request !== Request.STATE) answer({ error: "this is no request" });
    else
      inspect().then(
        (state) => answer({ state }),
        (error: unknown) => answer({ error: String(error) }),
      );
  });
}

/** What may stand where the cursor is: commands, processes, names, methods, files. */
import { readdirSync } from "node:fs";
import { visible } from "@capos/abi";
import { type Commands, commandNames, fieldsOf, methodNames } from "./commands.js";
import { type Completion, completeFields } from "./fields.js";
import { asWord, type Begun, begunCommand } from "./words.js";

/** A server may be busy; nobody waits longer for a word. */
const PATIENCE_MS = 1000;

/**
 * What may go on where the cursor is, and what of the line it replaces: as readline takes it.
 * @param line up to the cursor
 * @param rest what stands behind it, which is not typed a second time
 */
export async function complete(commands: Commands, line: string, rest: string): Promise<Completion> {
  const [found, begun] = await candidates(commands, begunCommand(line), rest).catch(
    (): Completion => [[], ""],
  );
  return [
    found
      // What would steer the terminal is not typed for anybody.
      .filter((text) => text.startsWith(begun) && text === visible(text))
      .map((text) => begun + before(rest, text.slice(begun.length))),
    begun,
  ];
}

/** What is to be typed so that a text stands there, if its end does already. */
function before(rest: string, text: string): string {
  if (rest === "") return text;
  const tail = text.trimEnd();
  for (let length = tail.length; length > 0; length--)
    if (rest.startsWith(tail.slice(-length))) return tail.slice(0, -length);
  return /^[\s;]/.test(rest) ? tail : text;
}

async function candidates(
  commands: Commands,
  { words, last, text }: Begun,
  rest: string,
): Promise<Completion> {
  const [command, first = "", second = ""] = words;
  const at = words.length;
  const among = (names: readonly string[], end = ""): Completion => [
    names.map((name) => `${asWord(name, last)}${end}`),
    last,
  ];
  if (at === 0) return among(commandNames(), " ");
  switch (command) {
    case "help":
      return among(at === 1 ? commandNames() : []);
    case "stop":
    case "kill":
    case "wait":
      return among((await commands.shell.look()).mayEnd.map(String));
    case "caps":
      return among(
        at === 1 ? (await commands.shell.look()).state.processes.map(({ number }) => String(number)) : [],
      );
    case "methods":
      return among(at === 1 ? [...(await commands.shell.names())] : []);
    case "start":
      return [files(text).map((file) => fileWord(file, last)), last];
    case "call": {
      if (at === 1) return among(await commands.shell.names(), " ");
      if (at > 3) return [[], ""];
      const protocol = await commands.protocolOf(first, AbortSignal.timeout(PATIENCE_MS));
      if (at === 2) return among(methodNames(protocol), " ");
      const fields = Object.keys(fieldsOf(protocol, second).request);
      if (last.startsWith("{")) return completeFields(last, rest, fields);
      return last === "" && fields.length > 0 ? [["{"], ""] : [[], ""];
    }
    default:
      return [[], ""];
  }
}

function files(begun: string): string[] {
  const folder = begun.slice(0, begun.lastIndexOf("/") + 1);
  return readdirSync(folder === "" ? "." : folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || /\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`);
}

/** A file as a word that is over, a folder as one that goes on. */
function fileWord(file: string, begun: string): string {
  const word = asWord(file, begun);
  return file.endsWith("/") ? word.replace(/["']$/, "") : `${word} `;
}

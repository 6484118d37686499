/** What may stand where the cursor is: commands, processes, names, methods, files. */
import { readdirSync } from "node:fs";
import { visible } from "@capos/abi";
import { type Commands, commandNames, fieldsOf, methodNames } from "./commands.js";

/** A server may be busy; nobody waits longer for a word. */
const PATIENCE_MS = 1000;

/** The words that go on with what was typed, and what of it they replace: as readline takes it. */
export async function complete(commands: Commands, line: string): Promise<[string[], string]> {
  const begun = line.slice(line.lastIndexOf(";") + 1).trimStart();
  const words = begun.split(/\s+/);
  const last = words.at(-1)!;
  // What would steer the terminal is not typed for anybody.
  const found = (await candidates(commands, words).catch(() => [])).filter((word) => word === visible(word));
  return [found.filter((word) => word.startsWith(last)), last];
}

async function candidates(commands: Commands, words: readonly string[]): Promise<string[]> {
  const [command, first = "", second = ""] = words;
  const at = words.length - 1;
  if (at === 0) return commandNames().map((name) => `${name} `);
  switch (command) {
    case "help":
      return at === 1 ? commandNames() : [];
    case "stop":
    case "kill":
    case "wait":
      return (await commands.shell.look()).mayEnd.map(String);
    case "caps":
      return at === 1
        ? (await commands.shell.look()).state.processes.map(({ number }) => String(number))
        : [];
    case "methods":
      return at === 1 ? [...(await commands.shell.names())] : [];
    case "start":
      return files(words.at(-1)!);
    case "call": {
      if (at === 1) return (await commands.shell.names()).map((name) => `${name} `);
      if (at > 3) return [];
      const protocol = await commands.protocolOf(first, AbortSignal.timeout(PATIENCE_MS));
      if (at === 2) return methodNames(protocol).map((name) => `${name} `);
      const fields = Object.keys(fieldsOf(protocol, second).request);
      return fields.length === 0 ? [] : [`{${fields.map((field) => `"${field}":`).join(",")}}`];
    }
    default:
      return [];
  }
}

function files(begun: string): string[] {
  const folder = begun.slice(0, begun.lastIndexOf("/") + 1);
  return readdirSync(folder === "" ? "." : folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || /\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : " "}`);
}

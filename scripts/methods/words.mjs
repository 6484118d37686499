/** What the makers of all files say in the same words. */

export const capitalized = (name) => name[0].toUpperCase() + name.slice(1);

/** A method's member of the enum `Method`. */
export const memberOf = (object, method) => `${constant(object.name)}_${constant(method.name)}`;

export const constant = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** Members of an enum by their value: what a compiled declaration has, as its source has it. */
export function nameIn(members, value) {
  const name = members[value];
  if (name === undefined) throw new Error(`${value} is no member of the enum`);
  return name;
}

/** The names of the rights in a set. */
export function rightNames(Right, set) {
  return Object.keys(Right).filter(
    (name) => name !== "ALL" && Number.isNaN(Number(name)) && (set & Right[name]) !== 0,
  );
}

const isPayload = ({ kind }) => kind === "text" || kind === "bytes" || kind === "words";

/** Each argument and the word where it stands; a text, bytes or words stand behind all others. */
export function placed(method) {
  const payload = method.arguments.filter(isPayload);
  if (payload.length > 1) throw new Error(`${method.name} has two arguments of any length`);
  return [...method.arguments.filter((it) => !isPayload(it)), ...payload].map((argument, i) => ({
    argument,
    at: i + 1,
  }));
}

/** Sentences one behind another; an empty one is none. */
export const joined = (...parts) => parts.filter((part) => part !== "").join(" ");

/** Columns of a comment's text. */
const WIDTH = 108;

/** A doc comment in lines that are no longer than the formatter's; `tags` stand below the text. */
export function docComment(text, tags = []) {
  const lines = [...wrapped(text), ...(tags.length === 0 ? [] : ["", ...tags])];
  if (lines.length === 1 && lines[0].length < WIDTH - 6) return `/** ${lines[0]} */`;
  return `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join("\n")}\n */`;
}

function wrapped(text) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== "" && last.length + 1 + word.length > WIDTH - 5) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

/** packages/abi/src/method.ts: the numbers of all methods. */
import { docComment, joined, memberOf, placed, rightNames } from "./words.mjs";

export function numbers({ objects, Right }) {
  const seen = new Map();
  const blocks = objects.map((object) => {
    const members = object.methods.map((method) => {
      const member = memberOf(object, method);
      if (seen.has(method.number))
        throw new Error(
          `${member} and ${seen.get(method.number)} have the number 0x${method.number.toString(16)}`,
        );
      seen.set(method.number, member);
      return `${docComment(comment(method, Right))}\n${member} = 0x${method.number.toString(16)},`;
    });
    return `// ${object.says}\n\n${members.join("\n")}`;
  });
  return `/**
 * The numbers of kernel objects' methods.
 *
 * HEAD
 */

export const enum Method {
${blocks.join("\n\n")}
}
`;
}

/** Words from word 1 on, the right, the answers. */
function comment(method, Right) {
  const words = placed(method).map(({ argument }) =>
    argument.kind === "text" || argument.kind === "bytes"
      ? `${argument.name} (its length, then packed)`
      : argument.name,
  );
  const answers = method.answers.map((answer) => answer.name);
  return joined(
    words.length === 0 ? "" : `${words.join(", ")}.`,
    method.right === 0 ? "" : `Needs ${rightNames(Right, method.right).join(" and ")}.`,
    `Answers ${answers.length === 0 ? "0" : answers.join(", ")}.`,
  );
}

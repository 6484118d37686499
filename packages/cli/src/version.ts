/** What version of capos this is, as its manifest says. */
import { createRequire } from "node:module";

export const { version: VERSION } = createRequire(import.meta.url)("../package.json") as {
  readonly version: string;
};

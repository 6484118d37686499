/** The page's script and style sheet, as build-page.ts made them. */

import { readFileSync } from "node:fs";

export interface Assets {
  readonly script: string;
  readonly style: string;
}

export function readAssets(): Assets {
  const read = (name: string) => readFileSync(new URL(`./${name}`, import.meta.url), "utf8");
  // Nothing in the script may look like the end of its element.
  return { script: read("page.js").replaceAll("</script", "<\\/script"), style: read("page.css") };
}

/**
 * Builds the images of init, of the services, of the bridge and of the shell: dist/images/NAME.json, each an `Image`.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildImage } from "@capos/image";
import { BRIDGE_IMAGE, IMAGES, SHELL_IMAGE } from "./guests/system.js";
import { imageFile } from "./index.js";

mkdirSync(new URL("./images/", import.meta.url), { recursive: true });
await Promise.all(
  [...IMAGES, BRIDGE_IMAGE, SHELL_IMAGE].map(async (name) => {
    const source = fileURLToPath(new URL(`../src/guests/${name}.ts`, import.meta.url));
    const image = await buildImage(source);
    writeFileSync(imageFile(name), JSON.stringify({ ...image, name }));
  }),
);

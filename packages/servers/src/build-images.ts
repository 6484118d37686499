/**
 * Builds the images of init and of the services: dist/images/NAME.json, each an `Image`.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildImage } from "@capos/image";
import { IMAGES } from "./guests/system.js";
import { imageFile } from "./index.js";

mkdirSync(new URL("./images/", import.meta.url), { recursive: true });
await Promise.all(
  IMAGES.map(async (name) => {
    const source = fileURLToPath(new URL(`../src/guests/${name}.ts`, import.meta.url));
    const image = await buildImage(source);
    writeFileSync(imageFile(name), JSON.stringify({ ...image, name }));
  }),
);

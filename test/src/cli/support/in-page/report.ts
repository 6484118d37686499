/** What tests ask of a report in a browser. Each function runs there: it has nothing but its own text. */

/** What a plot has on its canvas. */
export interface Drawn {
  readonly id: string;
  /** Edges, in pixels of the window. */
  readonly left: number;
  readonly right: number;
  /** Dots that have about the colour of a mark: letters and grids have not. */
  readonly marks: number;
  /** Another one for another picture. */
  readonly print: number;
}

export function drawnPlots(): Drawn[] {
  const style = getComputedStyle(document.documentElement);
  const colors = ["capos", "second", "faster", "slower"].map((name) => {
    const value = Number.parseInt(style.getPropertyValue(`--${name}`).trim().slice(1), 16);
    return [value >> 16, (value >> 8) & 255, value & 255];
  });
  return [...document.querySelectorAll<HTMLElement>(".plot")].map((plot) => {
    const canvas = plot.querySelector("canvas");
    const { left, right } = (canvas ?? plot).getBoundingClientRect();
    if (canvas === null) return { id: plot.id, left, right, marks: 0, print: 0 };
    // Read from a copy: the browser warns of canvases that are drawn for the screen and read.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {
      willReadFrequently: true,
    })!;
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let marks = 0;
    let print = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] === 0) continue;
      print = (print * 31 + data[i] + data[i + 1] * 7 + i) % 1_000_000_007;
      if (colors.some((color) => color.every((part, j) => Math.abs(part - data[i + j]) < 12))) marks++;
    }
    return { id: plot.id, left, right, marks, print };
  });
}

/** Ends when the browser has shown what it was told before, twice: plots are drawn when they have been heard of it. */
export function shown(): Promise<unknown> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  });
}

/** What the page is on: its colour, and how wide it is written. */
export function paper(): { color: string; width: number } {
  return {
    color: getComputedStyle(document.body).backgroundColor,
    width: document.querySelector("main")!.clientWidth,
  };
}

/** How wide the page is, and what of it is wider than its own box, which scrolls or not. */
export function widths(): { page: number; tables: { content: number; box: number; overflow: string }[] } {
  return {
    page: document.documentElement.scrollWidth,
    tables: [...document.querySelectorAll(".scroll")].map((box) => ({
      content: box.scrollWidth,
      box: box.clientWidth,
      overflow: getComputedStyle(box).overflowX,
    })),
  };
}

/** The rows of the tables of all figures: name and median, or that there is none. */
export function medians(): (string | null)[][] {
  return [...document.querySelectorAll("h3 + .scroll tbody tr:not(.remark)")].map((row) => [
    row.querySelector("th")!.textContent,
    row.querySelector(".median")?.textContent ?? "refused",
  ]);
}

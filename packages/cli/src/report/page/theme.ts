/** Colours and letters of the plots, from the page's style sheet: one place says them, for light, dark and print. */

import uPlot from "uplot";
import type { Role } from "./figure.js";

export interface Theme {
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly paper: string;
  readonly role: Readonly<Record<Role, string>>;
}

const ROLES: readonly Role[] = ["capos", "second", "third", "baseline", "faster", "slower"];
const FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export const FONT = `11px ${FAMILY}`;
export const BOLD = `600 11px ${FAMILY}`;

/** As the page looks now. */
export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: color("ink"),
    muted: color("muted"),
    grid: color("grid"),
    paper: color("paper"),
    role: Object.fromEntries(ROLES.map((role) => [role, color(role)])) as Record<Role, string>,
  };
}

/** The font in dots of the canvas, not in pixels of the page. */
export function canvasFont(font: string): string {
  return font.replace(/(\d+)px/, (_, size: string) => `${Number(size) * uPlot.pxRatio}px`);
}

/** How wide a text is, in pixels of the page. */
export function textWidth(text: string, font: string): number {
  const context = document.createElement("canvas").getContext("2d")!;
  context.font = font;
  return Math.ceil(context.measureText(text).width);
}

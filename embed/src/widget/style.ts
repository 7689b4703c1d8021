/** How the widget looks. Nothing of the page's styles reaches in here, and nothing of these reaches out. */

import type { Settings } from "./settings";

/** Black or white, whichever is easier to read on a colour. */
export function inkOn(color: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
}

/** The element itself stands in the page, so these have to outdo any rule there. */
export function hostStyle({ position }: Settings): string {
  const rules = ["all:initial", "display:block", "position:fixed", "bottom:20px", `${position}:20px`, "z-index:2147483647"];
  return rules.map((rule) => `${rule}!important`).join(";");
}

export function styleText({ color, position }: Settings): string {
  return `
*{box-sizing:border-box;margin:0;font:16px/1.4 system-ui,sans-serif}
:host{--ink:#1a1b1e;--dim:#565d65;--page:#fff;--line:#868e96;--bad:#b3261e;color-scheme:light dark}
@media(prefers-color-scheme:dark){:host{--ink:#f1f3f5;--dim:#b5bbc2;--page:#1f2124;--line:#7b828a;--bad:#ff9d94}}
button{border:0;cursor:pointer;color:${inkOn(color)};background:${color}}
:focus-visible{outline:2px solid #fff;outline-offset:0;box-shadow:0 0 0 4px #1864ab}
.open{display:grid;place-items:center;width:56px;height:56px;border-radius:50%;box-shadow:0 2px 10px #0006}
.open:focus-visible{box-shadow:0 0 0 5px #000}
svg{width:28px;height:28px;fill:currentColor}
dialog{position:fixed;inset:auto;bottom:20px;${position}:20px;width:360px;max-width:calc(100% - 40px);max-height:calc(100% - 40px);overflow:auto;padding:20px;border:1px solid var(--line);border-radius:14px;color:var(--ink);background:var(--page);box-shadow:0 8px 32px #0005}
dialog::backdrop{background:#0006}
.preview .open,.preview dialog{position:absolute;bottom:20px;${position}:20px}
.preview dialog{bottom:90px}
h2{padding-inline-end:40px;font-size:18px;font-weight:600;overflow-wrap:anywhere}
.close{position:absolute;top:10px;inset-inline-end:10px;width:36px;height:36px;border-radius:8px;font-size:22px;color:var(--dim);background:0 0}
label{display:block;margin-top:12px;font-size:14px;color:var(--dim)}
input,textarea{display:block;width:100%;margin-top:4px;padding:9px 11px;border:1px solid var(--line);border-radius:8px;color:var(--ink);background:var(--page);resize:vertical}
.hp{position:absolute;left:-9999px;opacity:0}
p{margin-top:12px;font-size:13px;color:var(--dim);overflow-wrap:anywhere}
p:empty{display:none}
p a{color:inherit}
.bad{color:var(--bad)}
.send{width:100%;margin-top:16px;padding:12px;border-radius:8px;font-weight:600}
.send[aria-disabled=true]{opacity:.6;cursor:progress}
@media(max-width:480px){dialog{bottom:0;left:0;right:0;width:100%;max-width:100%;max-height:100%;border-radius:14px 14px 0 0}}
@media(prefers-reduced-motion:no-preference){dialog[open]{animation:up .16s ease-out}}
@keyframes up{from{opacity:0;transform:translateY(12px)}}`;
}

// Draws what people see: comments as GitHub shows them, pages at three widths, terminals. Called by scripts/pictures.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");
const modules = process.env.NODE_PATH;
const read = (file) => fs.readFileSync(file, "utf8");
const [work, images] = process.argv.slice(2);
const names = ["success", "rework", "many"];

async function comment(browser, file, scheme, out) {
  const { marked } = await import(`file://${modules}/marked/lib/marked.esm.js`);
  const context = await browser.newContext({ viewport: { width: 900, height: 1000 }, colorScheme: scheme });
  const page = await context.newPage();
  const body = marked.parse(read(file), { gfm: true });
  const ground = scheme === "dark" ? "#0d1117" : "#ffffff";
  await page.setContent(`<!DOCTYPE html><meta charset="utf-8"><style>${read(path.join(modules, "github-markdown-css/github-markdown.css"))}
    body { margin: 0; padding: 24px; background: ${ground}; } .markdown-body { max-width: 850px; font-family: system-ui, sans-serif; }</style>
    <article class="markdown-body">${body}</article>`);
  // GitHub draws blocks of mermaid; so do we, when somebody opens what holds them.
  await page.addScriptTag({ path: path.join(modules, "mermaid/dist/mermaid.min.js") });
  const refused = await page.evaluate(async (theme) => {
    mermaid.initialize({ startOnLoad: false, theme, maxTextSize: 50000, maxEdges: 500 });
    const wrong = [];
    let number = 0;
    for (const block of document.querySelectorAll("code.language-mermaid")) {
      try {
        const drawn = await mermaid.render(`drawn${number++}`, block.textContent);
        block.closest("pre").outerHTML = `<div class="drawn">${drawn.svg}</div>`;
      } catch (error) { wrong.push(String(error)); }
    }
    return wrong;
  }, scheme === "dark" ? "dark" : "default");
  if (refused.length > 0) throw new Error(`${file}: mermaid refuses a picture: ${refused}`);
  if (!out.includes("-large-")) await page.screenshot({ path: `${out}.png` });
  const pictures = await page.evaluate(() => {
    const folds = [...document.querySelectorAll("details")].filter((fold) => fold.querySelector(".drawn"));
    document.querySelectorAll("details").forEach((fold) => { fold.open = folds.includes(fold); });
    return folds.length;
  });
  for (let at = 0; at < pictures && scheme === "light" && out.includes("comment-"); at++) {
    await page.locator(".drawn").nth(at).screenshot({ path: `${out.replace("comment", at === 0 ? "graph" : "timeline")}.png` });
  }
  await context.close();
}

async function report(browser, run, scheme, width, out) {
  const context = await browser.newContext({ viewport: { width, height: 1000 }, colorScheme: scheme });
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (line) => { if (line.type() === "error") wrong.push(line.text()); });
  await page.goto(`file://${path.join(run, "report.html")}`);
  await page.screenshot({ path: out });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  if (wrong.length > 0 || wide > width) throw new Error(`${run} at ${width}: ${wrong} scrolls to ${wide}`);
  await context.close();
}

async function terminal(browser, file, columns, out) {
  const context = await browser.newContext({ viewport: { width: columns * 9 + 40, height: 900 } });
  const page = await context.newPage();
  await page.setContent(`<!DOCTYPE html><style>${read(path.join(modules, "@xterm/xterm/css/xterm.css"))}
    body { margin: 0; padding: 12px; background: #1e1e1e; display: inline-block; }</style><div id="t"></div>`);
  await page.addScriptTag({ path: path.join(modules, "@xterm/xterm/lib/xterm.js") });
  await page.evaluate(async ([text, columns]) => {
    const term = new Terminal({ cols: columns, rows: 40, fontFamily: "DejaVu Sans Mono, monospace", fontSize: 14, lineHeight: 1.25,
      theme: { background: "#1e1e1e", red: "#f14c4c", green: "#23d18b", yellow: "#f5f543" }, convertEol: true, scrollback: 0 });
    term.open(document.getElementById("t"));
    await new Promise((done) => term.write(text, done));
  }, [read(file), columns]);
  await page.locator("body").screenshot({ path: out });
  await context.close();
}

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  await comment(browser, path.join(work, "large", "summary.md"), "light", path.join(images, "comment-large-light"));
  for (const name of names) {
    const run = path.join(work, name);
    for (const scheme of ["light", "dark"]) {
      for (const kind of ["comment", "preview"]) {
        await comment(browser, path.join(work, `${name}-${kind}.md`), scheme, path.join(images, `${kind}-${name}-${scheme}`));
      }
      for (const width of [1400, 800, 390]) {
        await report(browser, run, scheme, width, path.join(images, `page-${name}-${scheme}-${width}.png`));
      }
    }
    for (const columns of [80, 140]) {
      await terminal(browser, path.join(work, `${name}-${columns}.txt`), columns, path.join(images, `terminal-${name}-${columns}.png`));
    }
  }
  await browser.close();
})().catch((error) => { console.error(error); process.exit(1); });

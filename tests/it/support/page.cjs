// Looks at a report in Chromium, as people do: three widths, both themes, keyboard, filter, and the checks of axe-core.
"use strict";
const fs = require("node:fs");
const { chromium } = require("playwright-core");
const [report, modules, profile] = process.argv.slice(2);
const axe = fs.readFileSync(`${modules}/axe-core/axe.min.js`, "utf8");
const wrong = [];

(async () => {
  // The profile and what Chromium writes beside it go where the test says.
  process.env.HOME = profile;
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1400, 800, 390]) {
      const where = `${colorScheme} ${width}`;
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: false });
      const page = await context.newPage();
      page.on("pageerror", (error) => wrong.push(`${where}: ${error}`));
      page.on("console", (line) => { if (line.type() === "error") wrong.push(`${where}: ${line.text()}`); });
      page.on("request", (request) => { if (!request.url().startsWith("file://")) wrong.push(`${where}: asks for ${request.url()}`); });
      await page.goto(`file://${report}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      if (wide > width) wrong.push(`${where}: the page is ${wide} wide`);
      // The failure stands on the first screen.
      const top = await page.locator("#fix").evaluate((heading) => heading.getBoundingClientRect().top);
      if (width >= 800 && top > 900) wrong.push(`${where}: what to fix begins at ${top}`);
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(() => document.activeElement.tagName);
      if (focused === "BODY") wrong.push(`${where}: Tab leads nowhere`);
      await page.fill("#filter-words", "no task has these words");
      const left = await page.locator("details[data-state]:visible").count();
      if (left !== 0) wrong.push(`${where}: the search leaves ${left} tasks`);
      await page.fill("#filter-words", "");
      await context.close();

      // axe-core is no script of the page's own, which its policy would refuse.
      const open = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
      const seen = await open.newPage();
      await seen.goto(`file://${report}`);
      await seen.evaluate(axe);
      const found = await seen.evaluate(async () => {
        document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
        return (await window.axe.run()).violations.map((v) => `${v.id}: ${v.nodes.length}, ${v.nodes[0].html.slice(0, 160)}`);
      });
      wrong.push(...found.map((one) => `${where}: ${one}`));
      await open.close();
    }
  }
  await browser.close();
  for (const one of wrong) console.error(one);
  process.exit(wrong.length > 0 ? 1 : 0);
})().catch((error) => { console.error(error); process.exit(1); });

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { type RunningServer, startServer, useServer } from "../support/running-server.ts";
import { tier } from "../support/tiers.ts";
import { type PageServer, servePage } from "./page-server.ts";

// Short, because the slow model takes its time over every word.
const text = "The quay at Skagen is closed until Friday at six. Nobody was hurt when the crane fell.";

tier("chromium", ({ program }) => {
  describe("the browser example, in Chromium", () => {
    let pages: PageServer;
    let server: RunningServer;
    let browser: Browser;
    let page: Page;

    before(async () => {
      pages = await servePage();
      server = await startServer({ config: { cors: [pages.origin] } });
      // Chromium's own sandbox needs rights that root in a container does not have; it opens our own page only.
      browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
    });

    after(async () => {
      await browser?.close();
      await server?.stop();
      await pages?.close();
    });

    beforeEach(async () => {
      page = await browser.newPage();
      await page.goto(`${pages.origin}/?server=${encodeURIComponent(server.url)}`);
      await page.getByLabel("Text").fill(text);
    });

    afterEach(() => page?.close());

    const answer = () => page.locator("#answer").innerText();

    async function firstPiece(): Promise<string> {
      await page.locator("#answer").filter({ hasText: /\S/ }).waitFor({ timeout: 15_000 });
      return await answer();
    }

    async function reachesState(pattern: RegExp): Promise<string> {
      const state = page.locator("#state").filter({ hasText: pattern });
      await state.waitFor({ timeout: 15_000 }).catch(async () => {
        assert.fail(`the page says "${await page.locator("#state").innerText()}", not ${pattern}\n${server.output()}`);
      });
      return await state.innerText();
    }

    it("shows a stream piece by piece, and then the same answer at once from memory", async () => {
      await page.getByLabel("Model").fill("sandbox/slow");
      await page.getByRole("button", { name: "Stream" }).click();
      const early = await firstPiece();
      assert.equal(await reachesState(/^done/), `done, cache status ${CacheStatus.MISS}`);
      const whole = await answer();
      assert.ok(whole.startsWith(early.trimEnd()));
      assert.ok(whole.length > early.length, "the first piece was the whole answer");
      await page.getByRole("button", { name: "At once" }).click();
      assert.equal(await reachesState(/^done/), `done, cache status ${CacheStatus.MEMORY_HIT}`);
      assert.equal(await answer(), whole);
    });

    it("stops a stream, and the server notices", async () => {
      await page.getByLabel("Model").fill("sandbox/slow");
      await page.getByLabel("Text").fill(`${text} Stopped.`);
      await page.getByRole("button", { name: "Stream" }).click();
      await firstPiece();
      await page.getByRole("button", { name: "Stop" }).click();
      await reachesState(/^stopped$/);
      for (let tries = 0; tries < 100 && !server.output().includes('"CANCELLED"'); tries += 1) await sleep(50);
      assert.match(server.output(), /"CANCELLED"/);
    });

    it("takes back what it showed of an answer that broke off", async () => {
      await page.getByLabel("Model").fill("sandbox/cut");
      await page.getByRole("button", { name: "Stream" }).click();
      await reachesState(/^STREAM_INTERRUPTED /);
      assert.equal(await answer(), "");
    });

    it("reads the reason of an error", async () => {
      await page.getByLabel("Model").fill("no-such-model");
      for (const name of ["Stream", "At once"]) {
        await page.getByRole("button", { name }).click();
        await reachesState(/^UNKNOWN_MODEL \(call [0-9a-f-]{36}\)$/);
      }
    });
  });

  describe("a page of an origin that is not listed, in Chromium", () => {
    let pages: PageServer;
    let browser: Browser;
    const server = useServer();

    before(async () => {
      pages = await servePage();
      browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
    });

    after(async () => {
      await browser?.close();
      await pages?.close();
    });

    it("cannot read an answer", async () => {
      const page = await browser.newPage();
      await page.goto(`${pages.origin}/?server=${encodeURIComponent(server().url)}`);
      await page.getByLabel("Text").fill(text);
      await page.getByRole("button", { name: "At once" }).click();
      await page.locator("#state").filter({ hasText: /fetch/i }).waitFor({ timeout: 15_000 });
      assert.equal(await page.locator("#answer").innerText(), "");
    });
  });
});

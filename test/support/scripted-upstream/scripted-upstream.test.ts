import assert from "node:assert/strict";
import { request } from "undici";
import { completion, startScriptedUpstream, streamed } from "../scripted-upstream.ts";
import { takeRequest } from "./requests.ts";
import { fillTemplates } from "./templates.ts";

async function post(url: string, body: unknown): Promise<{ status: number; text: string }> {
  const response = await request(`${url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify(body),
    reset: true,
  });
  return { status: response.statusCode, text: await response.body.text() };
}

describe("the scripted upstream", () => {
  it("plays its steps in order and repeats the last", async () => {
    const upstream = await startScriptedUpstream([{ status: 429 }, completion("ok")]);
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await post(upstream.url, {})).status);
    assert.deepEqual(statuses, [429, 200, 200]);
    await upstream.close();
  });

  it("chooses by model, in sequence, and by function", async () => {
    const scenario = {
      upstream: [{ when: { model: "a" }, respond_seq: [{ status: 500 }, { status: 201 }] }, { status: 202 }],
    };
    const byModel = await startScriptedUpstream(scenario);
    const models = ["a", "b", "a", "a"];
    const statuses = [];
    for (const model of models) statuses.push((await post(byModel.url, { model })).status);
    assert.deepEqual(statuses, [500, 202, 201, 201]);
    await byModel.close();
    const byFunction = await startScriptedUpstream((call, index) => ({ status: 200 + index, body: call.json }));
    assert.equal((await post(byFunction.url, { n: 0 })).text, '{"n":0}');
    assert.equal((await post(byFunction.url, {})).status, 201);
    await byFunction.close();
  });

  it("gives the same step to as many requests as the script says are at once", async () => {
    const upstream = await startScriptedUpstream({ upstream: [{ status: 500 }, { status: 201 }], concurrency: 2 });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await post(upstream.url, {})).status);
    assert.deepEqual(statuses, [500, 500, 201]);
    await upstream.close();
  });

  it("records what it saw", async () => {
    const upstream = await startScriptedUpstream(streamed(["a"], { keep_alive: false }));
    await post(upstream.url, { model: "m" });
    await upstream.received(1);
    const call = upstream.calls[0];
    assert.deepEqual(call?.json, { model: "m" });
    await call?.closed;
    assert.ok(
      call?.closedAt !== undefined &&
        call.endedAt !== undefined &&
        call.startedAt <= call.endedAt &&
        call.endedAt <= call.closedAt,
    );
    await upstream.close();
  });

  it("refuses connections for a time", async () => {
    const upstream = await startScriptedUpstream([{ action: "refuse", for_ms: 50 }, completion("ok")]);
    await assert.rejects(post(upstream.url, {}), /ECONNREFUSED/);
    const deadline = performance.now() + 5_000;
    let status = 0;
    while (status === 0 && performance.now() < deadline)
      status = await post(upstream.url, {}).then(
        (answer) => answer.status,
        () => 0,
      );
    assert.equal(status, 200);
    await upstream.close();
  });

  it("dies in the middle of its answers, and lives again on the same port", async () => {
    const upstream = await startScriptedUpstream([{ action: "hang" }, completion("ok")]);
    const cut = assert.rejects(post(upstream.url, {}), { code: /ECONNRESET|UND_ERR_SOCKET/ });
    await upstream.received(1);
    await upstream.kill();
    await cut;
    assert.equal(upstream.openConnections, 0);
    await assert.rejects(post(upstream.url, {}), /ECONNREFUSED/);
    await upstream.revive();
    assert.equal((await post(upstream.url, {})).status, 200);
    await upstream.close();
  });

  it("takes requests with a length and in chunks, one after another", () => {
    const first = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    const second = "POST /b HTTP/1.1\r\ncontent-length: 2\r\n\r\nxy";
    const request = takeRequest(Buffer.from(first + second));
    assert.equal(request?.body, "abcde");
    assert.equal(takeRequest(request?.rest ?? Buffer.alloc(0))?.body, "xy");
    for (let at = 0; at < first.length; at++) assert.equal(takeRequest(Buffer.from(first.slice(0, at))), undefined);
  });

  it("fills in its templates", () => {
    const text = "{{http_date:+2s}} {{rfc3339:-1s}} {{epoch_ms:+1500}} {{epoch_s:+2}} {{second_origin}} {{other}}";
    const filled = "Thu, 01 Jan 1970 00:00:02 GMT 1969-12-31T23:59:59.000Z 1500 2 http://x {{other}}";
    assert.equal(fillTemplates(text, 0, "http://x"), filled);
  });
});

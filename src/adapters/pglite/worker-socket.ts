import { Duplex } from "node:stream";
import type { WorkerSession } from "./worker-thread.ts";

const TERMINATE = "X".charCodeAt(0);

/**
 * What `pg` takes for a TCP socket. Each piece that it writes, which is always a series of whole messages, is one
 * request to the database's thread, and the answer is what it reads.
 */
export class WorkerSocket extends Duplex {
  readonly #open: () => Promise<WorkerSession>;
  #session: WorkerSession | undefined;

  constructor(open: () => Promise<WorkerSession>) {
    super();
    this.#open = open;
  }

  connect(): this {
    this.#open().then(
      (session) => {
        if (this.destroyed) return session.end();
        this.#session = session;
        session.onGone = (error) => this.destroy(error);
        this.emit("connect");
      },
      (error: Error) => this.destroy(error),
    );
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#session?.end();
    this.#session = undefined;
    done(error);
  }

  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (!this.#session) {
      done(new Error("the connection to the embedded database is closed"));
      return;
    }
    // The farewell has no answer, and the database must not see it: it would end for good.
    if (bytes[0] === TERMINATE) {
      this.push(null);
      done();
      return;
    }
    this.#session.request(bytes, (answer) => {
      if (this.destroyed) return;
      this.push(answer);
      done();
    });
  }

  // What `pg` also calls on a TCP socket has no meaning here.
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

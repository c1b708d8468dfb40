/** A Hono server that does nothing: what a program of this kind takes at the least. Prints its memory after an answer. */
import { Hono } from "hono";
import { memoryMegabytes, report } from "./measure.ts";

const app = new Hono();
app.get("/health", (c) => c.json({ status: "healthy" }));
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => app.fetch(request));
await (await fetch(`http://127.0.0.1:${server.addr.port}/health`)).json();
report({ megabytes: memoryMegabytes("VmRSS") });
await server.shutdown();

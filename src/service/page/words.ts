/** How the status page writes times, durations and names. */
import { plainLine } from "../../observability/log.ts";

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** How long ago, or in how long; both as ISO 8601. */
export function distance(at: string, now: string): string {
  const seconds = (Date.parse(now) - Date.parse(at)) / 1_000;
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}

/** `2026-11-24 10:00:05 UTC` */
export function clock(at: string): string {
  return `${at.slice(0, 19).replace("T", " ")} UTC`;
}

/** `1 member`, `2 members` */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

/** What came from outside, without anything in it that cannot be seen. */
export const plain: (text: string) => string = plainLine;

/** A credential that prints as `[redacted]` wherever it ends up. */

/** What is shown instead of a secret. */
export const REDACTED = "[redacted]";

/**
 * Holds a credential. Whatever prints, inspects, serialises or throws it shows `[redacted]`; only
 * {@linkcode Secret.reveal} gives the value, and it is called where a request is signed.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The credential itself. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}

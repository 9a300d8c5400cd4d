/** Listeners by event. What a listener throws is reported as uncaught, and disturbs nobody else. */
export class Emitter<Events> {
  readonly #target = new EventTarget();

  /** @returns a function that removes the listener. */
  on<Name extends keyof Events & string>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const hear = (event: Event) => listener((event as CustomEvent<Events[Name]>).detail);
    this.#target.addEventListener(name, hear);
    return () => this.#target.removeEventListener(name, hear);
  }

  emit<Name extends keyof Events & string>(name: Name, detail: Events[Name]): void {
    this.#target.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** What of a Nest application is asked here. */
export interface LoadedApplication {
  init(): Promise<unknown>;
  close(): Promise<unknown>;
  get(token: unknown, options?: object): unknown;
  getMicroservices?(): readonly unknown[];
}

/** What of Nest's own is changed while a file is looked at that starts its application. */
export interface NestFactory {
  create(module: unknown, ...rest: unknown[]): Promise<unknown>;
  createMicroservice(module: unknown, ...rest: unknown[]): Promise<unknown>;
}

type Method = (this: LoadedApplication) => Promise<unknown>;
type Methods = Partial<Record<'listen' | 'init' | 'startAllMicroservices', Method>>;

// Of a `main` that hands its application to somebody else (a function of a cloud, a server of its own) there is no `listen()`.
const NO_LISTEN_MS = 1_000;

/**
 * A start without listening: whatever calls `listen()` meanwhile has its application initialized instead, and waits for ever, as
 * nothing that follows (`app.getUrl()`) would find what it expects.
 */
export class DryRun {
  /** The first application that was told to listen, or was initialized and is not. Rejects with why one does not start. */
  readonly application: Promise<LoadedApplication>;
  private begun = 0;
  private readonly restored: (() => void)[] = [];
  private readonly changed = new Set<object>();
  private take: (app: LoadedApplication) => void = () => undefined;
  private fail: (error: unknown) => void = () => undefined;

  constructor(factory: NestFactory) {
    this.application = new Promise((resolve, reject) => {
      this.take = resolve;
      this.fail = reject;
    });
    // Nobody may ask for it.
    this.application.catch(() => undefined);
    for (const name of ['create', 'createMicroservice'] as const) {
      const make = factory[name].bind(factory);
      this.replace(factory, name, (...parameters: [unknown, ...unknown[]]) => this.made(make(...quiet(parameters))));
    }
  }

  /** How many applications were, or are being, made. */
  get count(): number {
    return this.begun;
  }

  /** Nest is as it was. */
  end(): void {
    for (const restore of this.restored.splice(0).reverse()) restore();
    this.changed.clear();
  }

  private async made(making: Promise<unknown>): Promise<unknown> {
    this.begun += 1;
    try {
      const app = await making;
      // Of its class: what is set on the application itself Nest's proxy forgets.
      this.silence(Object.getPrototypeOf(app) as object);
      return app;
    } catch (error) {
      this.fail(error);
      return forever();
    }
  }

  private silence(prototype: object): void {
    if (this.changed.has(prototype)) return;
    this.changed.add(prototype);
    const { take, fail } = this;
    const { init } = prototype as { init?: Method };
    const methods: Methods = {
      async init() {
        const initialized = await init?.call(this);
        setTimeout(() => {
          take(this);
        }, NO_LISTEN_MS).unref();
        return initialized;
      },
      listen() {
        Promise.resolve(this.init()).then(() => {
          take(this);
        }, fail);
        return forever();
      },
      startAllMicroservices() {
        return Promise.resolve(this);
      },
    };
    for (const [name, method] of Object.entries(methods)) if (name in prototype) this.replace(prototype, name, method);
  }

  private replace(holder: object, name: string, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(holder, name);
    Object.defineProperty(holder, name, { value, configurable: true, writable: true });
    this.restored.push(() => {
      if (before === undefined) Reflect.deleteProperty(holder, name);
      else Object.defineProperty(holder, name, before);
    });
  }
}

/** By default Nest logs, and ends the process when something fails. */
function quiet(parameters: readonly [unknown, ...unknown[]]): [unknown, ...unknown[]] {
  const [module, second, third] = parameters;
  const isAdapter = typeof (second as { patch?: unknown } | undefined)?.patch === 'function';
  const given = (isAdapter ? third : second) as object | undefined;
  const options = { ...given, logger: false, bufferLogs: false, abortOnError: false };
  return isAdapter ? [module, second, options] : [module, options];
}

function forever(): Promise<never> {
  return new Promise(() => undefined);
}

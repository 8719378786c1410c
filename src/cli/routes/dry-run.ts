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
type Methods = Partial<Record<'listen' | 'init' | 'close' | 'startAllMicroservices', Method>>;

/**
 * A start without listening: whatever calls `listen()` meanwhile has its application initialized instead, and waits for ever, as
 * nothing that follows (`app.getUrl()`) would find what it expects.
 */
export class DryRun {
  /** The first application that was told to listen. Rejects with why one does not start. */
  readonly application: Promise<LoadedApplication>;
  private open = 0;
  private readonly initialized = new Set<LoadedApplication>();
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

  /** How many applications were, or are being, made, and are not closed. */
  get count(): number {
    return this.open;
  }

  /** One that is initialized, and does not listen (yet): a function of a cloud hands it on. */
  get idle(): LoadedApplication | undefined {
    return [...this.initialized].at(-1);
  }

  /** Nest is as it was. */
  end(): void {
    for (const restore of this.restored.splice(0).reverse()) restore();
    this.changed.clear();
  }

  private async made(making: Promise<unknown>): Promise<unknown> {
    this.open += 1;
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
    const { take, fail, initialized } = this;
    const { init, close } = prototype as Methods;
    const closed = (app: LoadedApplication) => {
      initialized.delete(app);
      this.open -= 1;
    };
    const methods: Methods = {
      async init() {
        const answer = await init?.call(this);
        initialized.add(this);
        return answer;
      },
      close() {
        closed(this);
        return close?.call(this) ?? Promise.resolve();
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

import type { INestApplicationContext } from '@nestjs/common';

/** Boots the app whose uploads a command works on, without listening. */
export type OpenApp = () => Promise<INestApplicationContext>;

/** Boots the app, does something with it, and closes it whatever comes of that. */
export async function withApp<Result>(
  open: OpenApp,
  work: (app: INestApplicationContext) => Promise<Result>,
): Promise<Result> {
  const app = await open();
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

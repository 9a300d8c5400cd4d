import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity } from 'typeorm';
import {
  AbstractChunkedUpload,
  ChunkedUploadModule,
  LocalStorage,
  UploadApiKeysModule,
} from '../../../src/index.js';

@Entity('avatar')
export class AvatarUpload extends AbstractChunkedUpload {
  @Column('text', { nullable: true })
  crop: string | null;
}

/** A user's app, as `--module` names it: uploads, a second type of them, and API keys. */
@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL ?? '',
      autoLoadEntities: true,
      retryAttempts: 0,
    }),
    ChunkedUploadModule.forRoot({
      anonymous: true,
      cleanup: false,
      storage: new LocalStorage({ root: process.env.ROOT ?? '' }),
    }),
    ChunkedUploadModule.forFeature([{ entity: AvatarUpload, path: 'avatars' }]),
    UploadApiKeysModule.forRoot(),
  ],
})
export class AppModule {}

/** The same from a function. */
export const makeModule = (): Promise<DynamicModule> =>
  Promise.resolve({ module: class {}, imports: [AppModule] });

/** The same as a promise. */
export const promised = makeModule();

export const nothing = 7;

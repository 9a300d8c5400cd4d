import { Column, DataSource, Entity } from 'typeorm';
import { AbstractChunkedUpload, ChunkedUpload, chunkedUploadMigrations } from '../../src/index.js';

/** As an app has it that adds an upload type. */
@Entity()
export class AvatarUpload extends AbstractChunkedUpload {
  @Column('text', { nullable: true })
  crop: string | null;
}

/** For TypeORM's command line. */
export default new DataSource({
  type: 'postgres',
  url: process.env.GENERATED_DATABASE_URL ?? '',
  entities: [ChunkedUpload, AvatarUpload],
  migrations: [
    ...chunkedUploadMigrations,
    ...(process.env.GENERATED_MIGRATIONS ? [process.env.GENERATED_MIGRATIONS] : []),
  ],
});

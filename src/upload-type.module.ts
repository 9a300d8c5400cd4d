import type { FactoryProvider, ModuleMetadata } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { createUploadType } from './create-upload-type.js';
import { UploadRoutes } from './protocols/http/upload-routes.js';
import { controllersOf, pathOf, requireDoors } from './upload-doors.js';
import type { UploadSettings } from './upload-options.js';
import type { CompleteShape } from './upload-shape.js';
import { getUploadsToken, getUploadTypeToken } from './upload-tokens.js';
import type { UploadType } from './upload-type.js';
import { UploadTypes } from './upload-types.js';
import { UploadsService } from './uploads.service.js';

/** Settings of an upload type, and when it is cleaned. */
export interface TypeSettings {
  readonly settings: UploadSettings;
  readonly cleanup: string | false;
}

/** Where a type's settings come from. */
export type SettingsSource = Pick<FactoryProvider<TypeSettings>, 'inject' | 'useFactory'>;

/** What a module needs to have one upload type: its table, its routes, and what apps inject. */
export function uploadTypeParts(shape: CompleteShape, source: SettingsSource): Required<ModuleMetadata> {
  requireDoors(shape);
  const { entity, dataSource } = shape;
  const settingsToken = Symbol(`${entity.name}Settings`);
  const typeToken = getUploadTypeToken(entity);
  const uploadsToken = getUploadsToken(entity);
  const createType = (
    settings: TypeSettings,
    database: DataSource,
    types: UploadTypes,
    routes: UploadRoutes,
  ): UploadType => {
    const type = createUploadType(shape, settings, database);
    types.add(type);
    for (const door of shape.doors) routes.add(pathOf(shape, door), door);
    return type;
  };
  return {
    imports: [TypeOrmModule.forFeature([entity], dataSource)],
    controllers: controllersOf(shape, typeToken),
    providers: [
      { provide: settingsToken, ...source },
      {
        provide: typeToken,
        inject: [settingsToken, getDataSourceToken(dataSource), UploadTypes, UploadRoutes],
        useFactory: createType,
      },
      {
        provide: uploadsToken,
        inject: [typeToken],
        useFactory: (type: UploadType) => new UploadsService(type),
      },
    ],
    exports: [typeToken, uploadsToken],
  };
}

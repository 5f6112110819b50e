import { testStore } from '../../contracts/store.ts';
import { freshStore, mib } from './bucket.ts';

testStore('s3', () => freshStore(), 12 * mib);
testStore('s3 without checksums', () => freshStore({ checksum: 'none' }), 6 * mib);

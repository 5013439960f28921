import { contentStoreSuite } from './content-suite.ts';
import { MemoryContentStore } from './memory-content.ts';

contentStoreSuite('MemoryContentStore', async () => ({ store: new MemoryContentStore(), close: async () => {} }));

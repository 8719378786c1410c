export { AppModule } from '../../testing-with-jest/src/app.module.js';

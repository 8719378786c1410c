// The documentation site: `npm run docs:build` writes it to docs/.vitepress/dist, `npm run docs:dev` serves it while you write.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { defineConfig } from 'vitepress';
import { anchorOf } from './anchor.mjs';

const docs = new URL('../', import.meta.url);
const read = (path) => readFileSync(new URL(path, docs), 'utf8');

const { description, repository } = JSON.parse(read('../package.json'));
const repositoryUrl = repository?.url.replace(/^git\+|\.git$/g, '');

const repositoryLink = (label, path) => (repositoryUrl ? `[${label}](${repositoryUrl}/blob/main/${path})` : label);

/** Files of the repository's root that are pages of the site as well, and the copies of them that the site has. */
const ROOT_PAGES = Object.fromEntries(
  ['CHANGELOG', 'CODE_OF_CONDUCT', 'CONTRIBUTING', 'SECURITY', 'SUPPORT'].map((name) => [
    `${name}.md`,
    `project/${name.toLowerCase()}.md`,
  ]),
);
mkdirSync(new URL('project', docs), { recursive: true });
for (const [name, copy] of Object.entries(ROOT_PAGES)) {
  const text = read(`../${name}`)
    .replaceAll('](docs/', '](../')
    .replace(/\]\((?=[\w.]+\.md)/g, '](../../');
  writeFileSync(new URL(copy, docs), text);
}

const ROOT_FILES = readdirSync(new URL('..', docs));

/** Lets links to the repository's root lead to pages of the site, or to the repository. */
const rootLinks = {
  name: 'root-links',
  enforce: 'pre',
  transform(text, id) {
    if (!id.endsWith('.md')) return undefined;
    return text.replace(/\[([^\]]+)\]\((?:\.\.\/)+([\w./-]+)\)/g, (link, label, path) => {
      if (path in ROOT_PAGES) return `[${label}](/${ROOT_PAGES[path]})`;
      return ROOT_FILES.includes(path.split('/')[0]) ? repositoryLink(label, path) : link;
    });
  },
};

/** Lists the pages of the providers by their titles, "Protect a NestJS API with Auth0". */
function providerPages() {
  const files = readdirSync(new URL('providers', docs)).filter((name) => name !== 'index.md');
  return files.sort().map((name) => {
    const [, label] = /^# Protect a NestJS API with (.+)$/m.exec(read(`providers/${name}`)) ?? [];
    return page(label, `/providers/${name.slice(0, -'.md'.length)}`);
  });
}

const page = (text, link) => ({ text, link });
const section = (text, items) => ({ text, collapsed: true, items });

const sidebar = [
  section('Get started', [
    page('Quick start', '/quick-start'),
    page('Install with the Nest CLI', '/nest-cli'),
    page('Get a token and call your API', '/get-a-token'),
  ]),
  section('Providers', [page('Choose a provider', '/providers/'), ...providerPages()]),
  section('Guides', [
    page('Authorization', '/guides/authorization'),
    page('Map tokens to users', '/guides/users'),
    page('Read the token from a header, cookie, form or query', '/guides/token-places'),
    page('GraphQL and federation', '/guides/graphql'),
    page('WebSockets', '/guides/websockets'),
    page('Microservices', '/guides/microservices'),
    page('Server-Sent Events', '/guides/server-sent-events'),
    page('Handlers of other libraries', '/guides/other-libraries'),
    page('OpenAPI and Swagger UI', '/guides/swagger'),
    page('Middleware and static files', '/guides/middleware'),
    page('Protected resource metadata', '/guides/protected-resources'),
    page('MCP servers', '/guides/mcp-servers'),
    page('Several issuers and tenants', '/guides/several-issuers'),
    page('Tokens and keys that differ from the standards', '/guides/unusual-issuers'),
    page('Test with Jest', '/guides/testing-with-jest'),
    page('Test with Vitest', '/guides/testing-with-vitest'),
    page('Serverless and bundlers', '/guides/serverless-and-bundlers'),
    page('Monorepos', '/guides/monorepos'),
    page('Cache user-specific responses', '/guides/caching'),
    page('Guard order and manual verification', '/guides/guard-order'),
    page('Production checklist', '/guides/production-checklist'),
  ]),
  section('Reference', [
    page('Options', '/reference/options'),
    page('Decorators', '/reference/decorators'),
    page('Error codes', '/reference/errors'),
    page('Command line', '/reference/command-line'),
    page('Events and metrics', '/reference/events-and-metrics'),
    page('API', '/reference/api/'),
  ]),
  section('Operations', [
    page('Resilience', '/resilience'),
    page('Observability', '/observability'),
    page('Performance', '/performance'),
  ]),
  section('Security', [page('Threat model', '/security'), page('Standards conformance', '/conformance')]),
  section('Migration', [
    page('Choose a migration guide', '/migration/'),
    page('From passport-jwt and jwks-rsa', '/migration/passport-jwt'),
    page('From nest-keycloak-connect', '/migration/nest-keycloak-connect'),
    page('From express-oauth2-jwt-bearer', '/migration/express-oauth2-jwt-bearer'),
    page('From FastAPI with PyJWT', '/migration/fastapi'),
    page('From Spring Security', '/migration/spring'),
  ]),
  page('Comparison', '/comparison'),
  section('Contributing', [
    page('Set up and contribute', '/project/contributing'),
    page('Architecture', '/architecture'),
    page('Dependencies', '/dependencies'),
    page('Versions and upgrades', '/versions'),
    page('Changelog', '/project/changelog'),
    page('Support', '/project/support'),
    page('Report a vulnerability', '/project/security'),
    page('Code of conduct', '/project/code_of_conduct'),
  ]),
];

/** TypeDoc writes this file, so it is missing until `npm run docs:api` has run. */
const API_SIDEBAR = 'reference/api/typedoc-sidebar.json';
const apiSidebar = existsSync(new URL(API_SIDEBAR, docs))
  ? [page('← Documentation', '/quick-start'), ...JSON.parse(read(API_SIDEBAR))]
  : sidebar;

export default defineConfig({
  title: 'nestjs-resource-server',
  description,
  lang: 'en-US',
  vite: { plugins: [rootLinks] },
  markdown: {
    anchor: { slugify: anchorOf },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  themeConfig: {
    nav: [
      page('Quick start', '/quick-start'),
      page('Providers', '/providers/'),
      page('Guides', '/guides/authorization'),
      page('Options', '/reference/options'),
      page('API', '/reference/api/'),
    ],
    sidebar: { '/reference/api/': apiSidebar, '/': sidebar },
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          // The generated reference repeats the words of the pages that explain them.
          searchOptions: { boostDocument: (id) => (id.includes('/reference/api/') ? 0.1 : 1) },
        },
      },
    },
    ...(repositoryUrl && { socialLinks: [{ icon: 'github', link: repositoryUrl }] }),
  },
});

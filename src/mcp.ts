/**
 * For MCP servers in a Nest application, with the SDKs of the Model Context Protocol or with `@rekog/mcp-nest`.
 * @module nestjs-resource-server/mcp
 */

export type { McpAuthInfo } from './mcp/auth-info.js';
export { McpEndpoint, type McpEndpointOptions } from './mcp/mcp-endpoint.js';

import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { All, Controller, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { RequireScopes } from 'nestjs-resource-server';
import { McpEndpoint, type McpAuthInfo } from 'nestjs-resource-server/mcp';
import { z } from 'zod';
import { Orders } from '../orders.js';

/** The orders for agents: each tool needs `read:orders`, and `place-order` also `write:orders`. */
@Controller('mcp')
@McpEndpoint({ tools: { 'place-order': ['write:orders'] } })
@RequireScopes('read:orders')
@ApiExcludeController()
export class McpController {
  private readonly handle = toNodeHandler(createMcpHandler(() => this.createServer()));

  constructor(private readonly orders: Orders) {}

  @All()
  serve(@Req() request: IncomingMessage & { body?: unknown }, @Res() response: ServerResponse) {
    return this.handle(request, response, request.body);
  }

  private createServer(): McpServer {
    const server = new McpServer({ name: 'orders', version: '1.0.0' });
    server.registerTool('list-orders', { description: 'Lists the orders of the user' }, ({ http }) => {
      const owner = ownerOf(http?.authInfo);
      return answer(this.orders.all().filter((order) => order.owner === owner));
    });
    const placeOrder = { description: 'Places an order', inputSchema: z.object({ item: z.string().min(1) }) };
    server.registerTool('place-order', placeOrder, ({ item }, { http }) =>
      answer(this.orders.add(ownerOf(http?.authInfo), item)),
    );
    return server;
  }
}

function ownerOf(auth: object | undefined): string {
  return (auth as McpAuthInfo | undefined)?.extra.claims.sub ?? '';
}

function answer(value: unknown) {
  return { content: [{ type: 'text' as const, text: JSON.stringify(value) }] };
}

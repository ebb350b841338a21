"""Every command of `tangle`: its name, where its function is, and the first line of its help.

What more there is to say about a command, and an example of it, stands beside its function.
"""

from __future__ import annotations

from tangle.cli.group import Row, Rows, Table
from tangle.demo import ABOUT

WALLET = {
    "new": Row("cli.wallet.keys:new", "Make a wallet file."),
    "address": Row("cli.wallet.keys:address", "Show an address of the wallet."),
    "fund": Row("cli.wallet.keys:fund", "Ask the node's faucet for coins to try with."),
    "balance": Row("cli.wallet.listings:balance", "Show what the wallet holds."),
    "tokens": Row("cli.wallet.listings:tokens", "List the native tokens with their ids."),
    "nfts": Row("cli.wallet.listings:nfts", "List the NFTs with their ids."),
    "accounts": Row("cli.wallet.listings:accounts", "List aliases and their foundries with ids."),
    "history": Row("cli.wallet.listings:history", "Show what transactions changed."),
    "send": Row("cli.wallet.coins:send", "Pay an address, and wait until the ledger took the payment."),
    "send-tokens": Row("cli.wallet.tokens:send_tokens", "Send native tokens."),
    "send-nft": Row("cli.wallet.nfts:send_nft", "Send an NFT with its storage deposit."),
    "claim": Row("cli.wallet.coins:claim", "Take what has come under conditions."),
    "consolidate": Row("cli.wallet.coins:consolidate", "Join outputs into one."),
    "create-alias": Row("cli.wallet.accounts:create_alias", "Make an alias."),
    "create-token": Row("cli.wallet.accounts:create_token", "Make a native token."),
    "mint": Row("cli.wallet.tokens:mint", "Make more of a token."),
    "melt": Row("cli.wallet.tokens:melt", "Give tokens back to their foundry."),
    "burn": Row("cli.wallet.tokens:burn", "Destroy tokens for ever."),
    "mint-nft": Row("cli.wallet.nfts:mint_nft", "Make an NFT."),
    "burn-nft": Row("cli.wallet.nfts:burn_nft", "Destroy an NFT for ever."),
    "destroy": Row("cli.wallet.accounts:destroy", "End a foundry or an alias."),
}

DATA = {
    "post": Row(
        "cli.data.tagged:post", "Post data as a block: from the argument, from --file, or from standard input."
    ),
    "get": Row("cli.data.tagged:get", "Read the data of one block, or of the blocks under a tag, oldest first."),
}

MAM = {
    "create": Row("cli.mam.write:create", "Make a channel."),
    "publish": Row(
        "cli.mam.write:publish",
        "Publish messages: a text, a file, the rows of a CSV file, or each line of standard input.",
    ),
    "follow": Row(
        "cli.mam.read:follow",
        "Read a channel: its history, then what comes, every message verified and in order.",
    ),
    "recover": Row(
        "cli.mam.write:recover",
        "Make the writer's file again from the seed: the node tells what was published.",
    ),
    "key": Row(
        "cli.mam.access:key",
        "Make a reader's key, or show the public half of one that is there: give that to the writer.",
    ),
    "grant": Row(
        "cli.mam.access:grant",
        "Let a reader in from here on, with an invitation that only the reader can open.",
    ),
    "revoke": Row(
        "cli.mam.access:revoke",
        "Shut a reader out from here on: everybody else gets a new side key. What was read stays read.",
    ),
    "export": Row("cli.mam.read:export", "Verify a whole channel and report it."),
}

MACHINE = {
    "send-on": Row(
        "cli.machine.money:send_on",
        "Have a machine send money that nobody ordered with back, or on to an address.",
    ),
}

BLOCK = {
    "show": Row(
        "cli.data.block:show_block",
        "Show a block: parents, payload, confidence with its interval, and the milestone that references it.",
    ),
}

TIPS = {
    "list": Row(
        "cli.tips.commands:list_tips",
        "List the blocks that nothing approves, oldest first, and whether walks would end on them.",
    ),
    "explain": Row(
        "cli.tips.commands:explain",
        "Explain one selection: where walkers started, what they could choose with which chances, and who won.",
    ),
    "stats": Row(
        "cli.tips.commands:stats",
        "Count what the Tangle loses: tips left behind, orphaned blocks, lazy and contested ones.",
    ),
}

GRAPH = {
    "export": Row(
        "cli.data.graph:export",
        "Write blocks with weight, confidence, milestone and payload as a graph; without a place, the newest "
        "ones.",
    ),
}

SIM = {
    "run": Row("cli.sim.run:run", "Simulate a scenario, and show what is measured beside what is expected."),
    "list": Row("cli.sim.run:list_scenarios", "List the declared scenarios."),
    "sweep": Row(
        "cli.sim.sweep:sweep",
        "Run a scenario with all combinations of some fields, several times each, on all cores.",
    ),
    "plot": Row("cli.sim.figures:plot", "Draw figures of results, or what a sweep measured over its fields."),
    "compare": Row(
        "cli.sim.run:compare",
        "Show results side by side: in what their scenarios differ, and what is measured of each.",
    ),
    "report": Row(
        "cli.sim.figures:report",
        "Write an HTML report of results or of a sweep, with their parameters, measures and figures.",
    ),
    "figure": Row(
        "cli.sim.figures:figure",
        "Make a known figure of the literature again, and show its published numbers beside those found here.",
    ),
    "replay": Row(
        "cli.sim.replay:replay",
        "Ask what another alpha, selector or attack would have made of the arrivals of a real Tangle.",
    ),
}

NETWORK = {
    "enable": Row("cli.node.network:enable", "Switch a rule of the ledger on, for good."),
}

COMMANDS: Table = {
    "up": Row("cli.node.service:up", "Run a node; the first start makes its network."),
    "init": Row(
        "cli.node.service:init",
        "Make a network - keys, settings file, database, genesis - without running it. Never overwrites one.",
    ),
    "info": Row("cli.node.info:info", "Show the node: its network, its health and its newest milestone."),
    "audit": Row(
        "cli.node.audit:audit",
        "Recompute all blocks, milestone roots and the ledger of a database; a running node is not disturbed.",
    ),
    "network": Rows("Change what a network agrees on.", NETWORK),
    "demo": Row("demo.command:demo", ABOUT),
    "wallet": Rows("Keep keys, see what they own, send it; make tokens and NFTs.", WALLET),
    "data": Rows("Write tagged data to the Tangle and read it.", DATA),
    "mam": Rows("Write channels that nobody can alter, and follow them.", MAM),
    "machine": Rows("Give a machine instructions, as its owner.", MACHINE),
    "block": Rows("Look at blocks.", BLOCK),
    "tips": Rows("Look at tips and their selection.", TIPS),
    "graph": Rows("Take slices of the Tangle.", GRAPH),
    "sim": Rows("Simulate tip selection, attacks and networks.", SIM),
}

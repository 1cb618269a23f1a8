// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

/// Play money with the habits of USDT: six decimals, and a transfer that returns nothing.
contract DollarToken {
    event Transfer(address indexed from, address indexed to, uint256 value);

    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;

    constructor() {
        balanceOf[msg.sender] = 1e18;
        emit Transfer(address(0), msg.sender, 1e18);
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
    }
}

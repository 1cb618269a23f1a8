// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

/// A token with the habits of real ones, each of which a test can switch on.
contract OddToken {
    event Transfer(address indexed from, address indexed to, uint256 value);

    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    mapping(address => bool) public isBanned;
    bool public isPaused;
    bool public isSayingNo;
    bool public isSilent;
    uint256 public feePerMille;

    constructor() {
        balanceOf[msg.sender] = 1e18;
    }

    function set(bool paused, bool sayingNo, bool silent, uint256 fee) external {
        isPaused = paused;
        isSayingNo = sayingNo;
        isSilent = silent;
        feePerMille = fee;
    }

    function ban(address account, bool banned) external {
        isBanned[account] = banned;
    }

    /// Returns nothing when all is well, as USDT does.
    function transfer(address to, uint256 value) external {
        require(!isPaused && !isBanned[msg.sender] && !isBanned[to], "not now");
        if (isSayingNo) {
            assembly {
                mstore(0, 0)
                return(0, 32)
            }
        }
        balanceOf[msg.sender] -= value;
        uint256 fee = value * feePerMille / 1000;
        balanceOf[to] += value - fee;
        if (!isSilent) emit Transfer(msg.sender, to, value - fee);
    }

    /// Says that tokens moved, which they did not.
    function pretend(address to, uint256 value) external {
        emit Transfer(msg.sender, to, value);
    }
}
